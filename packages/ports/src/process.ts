/** The process a component runs in, or what stands for it when it is hosted. */
export interface ComponentProcess {
  /** The component's own name and version, as the core device runs it; in the environment by the recipe. */
  readonly componentName: string;
  readonly componentVersion: string;
  readonly thingName: string;
  readonly region: string;
  environment(name: string): string | undefined;
  /** Memory in use, in bytes; 0 where it cannot be told. */
  memoryBytes(): number;
  /** Ends the component as failed; the core device sees a non-zero exit. For broken promises of our own only. */
  fail(reason: string): void;
}
