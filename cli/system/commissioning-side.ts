import type { Clock, Log } from "@coalmine/ports";
import {
  type ClaimCloud,
  type ClientSettings,
  closeClaimCloud,
  ensureCommissioningTable,
  openClaimCloud,
} from "../../api/claims/claim-cloud.ts";
import { commissioningFunctions, functionNames } from "../../infra/identity/functions.ts";
import { names } from "../../infra/identity/identity.ts";
import type { CloudFunctions } from "../../simulator/cloud/functions.ts";

/** Commissioning's functions in a local cloud: they are handed over before anybody knows where the cloud is. */
export class CommissioningSide {
  readonly functions: CloudFunctions = Object.fromEntries(
    Object.values(functionNames).map((name) => [name, (event: unknown) => this.#running()[name](event)]),
  );
  readonly #clock: Clock;
  readonly #log: Log;
  #cloud: ClaimCloud | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Once the cloud listens; `bucket` is for reports. */
  async open(settings: ClientSettings, bucket: string): Promise<ClaimCloud> {
    const cloud = openClaimCloud(settings, {
      clock: this.#clock,
      log: this.#log,
      template: names.provisioningTemplate,
      bucket,
    });
    this.#cloud = cloud;
    await ensureCommissioningTable(cloud);
    return cloud;
  }

  close(): void {
    if (this.#cloud !== undefined) closeClaimCloud(this.#cloud);
  }

  #running(): ReturnType<typeof commissioningFunctions> {
    if (this.#cloud === undefined) throw new Error("the cloud is still starting");
    return commissioningFunctions(this.#cloud);
  }
}
