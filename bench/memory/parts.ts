import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleProgram } from "../../pipeline/build/bundle.ts";
import { nativeFiles } from "../../pipeline/build/native-modules.ts";
import { hostPlatform } from "../../pipeline/build/platform.ts";

/** One for each component: what its issue prescribes that it is made with, used once, and nothing of ours. */
const parts = ["reader", "model", "uploader", "logs"] as const;

/** As the components' recipes run them. */
const options = ["--max-semi-space-size=2", "--expose-gc"];
export const frugal = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "65536",
  MALLOC_TRIM_THRESHOLD_: "65536",
  AWS_REGION: "us-east-1",
  AWS_ENDPOINT_URL: "http://127.0.0.1:9",
  AWS_ACCESS_KEY_ID: "parts",
  AWS_SECRET_ACCESS_KEY: "parts",
};

/** Bundles the parts below `folder` and measures them. */
export async function withParts(
  root: string,
  program: string,
  folder: string,
  measure: (commands: readonly (readonly string[])[]) => Promise<number[]>,
): Promise<number[]> {
  const platform = hostPlatform();
  if (platform === undefined)
    throw new Error(`there are no artifacts for ${process.platform}-${process.arch}`);
  const commands = [];
  for (const part of parts) {
    const { files, inputs } = await bundleProgram(
      root,
      join(root, `bench/memory/parts/${part}.ts`),
      "beside Node",
    );
    mkdirSync(join(folder, part), { recursive: true });
    for (const { name, bytes } of [...files, ...(await nativeFiles(root, inputs, platform))])
      writeFileSync(join(folder, part, name), bytes);
    const model = join(root, "models/blood-viscosity/model.onnx");
    commands.push([program, ...options, join(folder, part, "main.mjs"), model]);
  }
  return measure(commands);
}
