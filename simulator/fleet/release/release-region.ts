import type { Instant } from "@coalmine/ports";
import type { Cloud } from "../../cloud/cloud.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";

/** Where a release is published and deployed: a driven region, or one on the wall's clock. */
export interface ReleaseRegion {
  readonly cloud: Cloud<LocalIot>;
  readonly clock: { now(): Instant };
  readonly devices: readonly { readonly thingName: string }[];
  readonly turn: {
    /** Lets so much of the region's time pass. */
    run(until: Instant): Promise<unknown>;
    change<Result>(work: () => Promise<Result>): Promise<Result>;
  };
}
