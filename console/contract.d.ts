/** What the build takes over of `packages/contract`: its values without its schemas, which weigh more than the console. */
declare module "coalmine:contract" {
  export const calls: import("./door/asking.ts").Calls;
  export const events: Readonly<
    Record<
      keyof typeof import("@coalmine/contract/operator-api").streamEvents,
      import("./door/shape.ts").Shape
    >
  >;
  export const logLine: import("./door/shape.ts").Shape;
  export const files: typeof import("@coalmine/contract/operator-api").operatorFiles;
  export const quietMsMax: number;
}
