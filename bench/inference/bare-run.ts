import { InferenceSession, Tensor } from "onnxruntime-node";
import { manifest, modelBytes } from "../../components/inference/test/engine.fixture.ts";

/** What the component is held against: the model's session with every tensor made before, and nothing else. */
export async function bareRun(rows = 1): Promise<() => Promise<unknown>> {
  const session = await InferenceSession.create(modelBytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const { width } = manifest.input;
  const { value, classes } = manifest.outputs;
  const zeros = (...shape: [number, number]) =>
    new Tensor("float32", new Float32Array(shape[0] * shape[1]), shape);
  const feeds = { [manifest.input.name]: zeros(rows, width) };
  const fetches = { [value.name]: zeros(rows, 1), [classes.name]: zeros(rows, classes.labels.length) };
  return () => session.run(feeds, fetches);
}
