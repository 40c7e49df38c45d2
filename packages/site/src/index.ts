/**
 * The network of a site as commissioning sees it: its links (`Network`) and what they let through (`Probes`). The ends on
 * a device are `@coalmine/site/network-manager` and `…/node-probes`; the simulated ones are `simulator/site`.
 */
export * from "./connect-request.ts";
export * from "./network.ts";
export * from "./probes.ts";
export * from "./secret.ts";
