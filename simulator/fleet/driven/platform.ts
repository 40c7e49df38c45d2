import type { Platform } from "../../core-device/ports.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "aarch64" };

/** Hosted devices are of this machine's architecture, since that is what a build for this machine has artifacts for. */
export function hostPlatform(): Platform {
  return { os: "linux", architecture: architectures[process.arch] ?? process.arch };
}
