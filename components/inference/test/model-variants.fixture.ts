import { burdened } from "@coalmine/device/onnx.fixture";
import { type Artifact, manifest, modelBytes } from "./engine.fixture.ts";

/** Other models of the same work, good and bad, each as somebody could release it. */
export const good = ["good", "twin"] as const;
export const bad = ["slow", "corrupt", "wrongSchema", "failingVectors", "crashing", "endless"] as const;
export type Variant = (typeof good)[number] | (typeof bad)[number] | "brittle" | "sticky";

/** Far longer than `runMsMax` of the tests, on a fast machine too. */
const SLOW_TURNS = 120_000;
const input = manifest.input.name;

export function variant(of: Variant): Artifact {
  switch (of) {
    case "good":
      return { bytes: renamed("Coalmine") };
    case "twin":
      return { bytes: renamed("cOalmine") };
    case "slow":
      return { bytes: burdened(modelBytes, "slow", input, SLOW_TURNS) };
    case "corrupt":
      return { bytes: modelBytes.slice(0, modelBytes.length >> 1) };
    case "wrongSchema":
      return { bytes: renamed("coAlmine"), change: { input: { name: "bend", width: manifest.input.width } } };
    case "failingVectors":
      return { bytes: renamed("coaLmine"), change: { testVectors: shifted() } };
    case "crashing":
      return { bytes: burdened(modelBytes, "failing", input) };
    case "endless":
      return { bytes: burdened(modelBytes, "endless", input) };
    case "brittle":
    case "sticky":
      break;
  }
  return { bytes: burdened(modelBytes, of, input) };
}

/** Other bytes of the same model: another producer's name. */
function renamed(producer: string): Uint8Array {
  const bytes = Uint8Array.from(modelBytes);
  bytes.set(new TextEncoder().encode(producer), Buffer.from(bytes).indexOf("coalmine"));
  return bytes;
}

function shifted() {
  const { relativeTolerance, vectors } = manifest.testVectors;
  return { relativeTolerance, vectors: vectors.map((of) => ({ ...of, value: of.value * 1.5 })) };
}
