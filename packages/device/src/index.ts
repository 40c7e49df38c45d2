/**
 * The real ports, each in a file of its own, so that a bundle takes only what its `main.ts` names. Nothing is exported
 * here but the way in: `@coalmine/device/run`, `…/greengrass-ipc`, `…/serial-links`, `…/work-files`, `…/model-worker`,
 * `…/objects`, `…/cloud-logs`, `…/crypto`, `…/log`, `…/component-process`.
 */
export type { BasePorts } from "./run.ts";
