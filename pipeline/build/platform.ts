/** What devices run on, as Node names it. */
export const platforms = ["linux-x64", "linux-arm64"] as const;
export type Platform = (typeof platforms)[number];

/** `any` holds what is the same on every platform. */
export type ArtifactPlatform = Platform | "any";

/** This machine's, where it is one that devices have. */
export function hostPlatform(): Platform | undefined {
  return platforms.find((platform) => platform === `${process.platform}-${process.arch}`);
}
