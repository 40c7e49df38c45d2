/** Loaded with the first model, by its names: a bundler gives a CommonJS module that is imported late none but `default`. */
export { InferenceSession, Tensor } from "onnxruntime-node";
