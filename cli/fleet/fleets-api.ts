import type { Api } from "../../api/api.ts";
import { FleetWatch } from "../../api/fleets/fleet-watch.ts";
import { closeOperatorRegion, openOperatorRegion, type OperatorRegion } from "../../api/operator-region.ts";
import { systemClock } from "@coalmine/runtime/system-clock";
import { asking, targetsNamed } from "../asked/asked.ts";
import type { Places } from "../system/state.ts";

/** What the operators' API reads of fleets, in this process: the command says what the console shows. */
export interface FleetsApi {
  readonly api: Api;
  readonly regions: readonly OperatorRegion[];
  readonly watches: readonly FleetWatch[];
}

/** Of the target of that name alone where there is one. @throws SystemError where no target is named so. */
export async function askingFleets(
  at: Places,
  fleet: string | undefined,
  ask: (fleets: FleetsApi) => Promise<void>,
): Promise<void> {
  await asking(at, async (api, asked) => {
    const { time } = api;
    const regions = targetsNamed(asked, fleet).map((target) => openOperatorRegion(target, asked.accountId));
    try {
      const watches = regions.map(
        (region) => new FleetWatch({ region, time, clock: systemClock, name: "command" }),
      );
      await ask({ api, regions, watches });
    } finally {
      regions.forEach(closeOperatorRegion);
    }
  });
}
