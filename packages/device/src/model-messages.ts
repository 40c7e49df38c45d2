import type { ModelError, Tensor } from "@coalmine/ports";

/** What a component's thread asks of its model worker, and what comes back. `id` pairs them. */
export type ModelRequest =
  | { readonly id: number; readonly kind: "open"; readonly path: string; readonly sha256: string }
  | { readonly id: number; readonly kind: "run"; readonly model: number; readonly feeds: Tensors }
  | { readonly id: number; readonly kind: "close"; readonly model: number };

export type Tensors = Readonly<Record<string, Tensor>>;

export interface OpenedModel {
  readonly model: number;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

export type ModelAnswer = { readonly id: number } & (
  | { readonly kind: "opened"; readonly opened: OpenedModel }
  | { readonly kind: "ran"; readonly outputs: Tensors }
  | { readonly kind: "closed" }
  | { readonly kind: "failed"; readonly code: ModelError["code"]; readonly message: string }
);

/** What marks a worker thread as the one that runs models. */
export const MODEL_WORKER_ROLE = "coalmine.model-worker";
