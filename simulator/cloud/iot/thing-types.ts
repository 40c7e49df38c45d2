import type { Clock, Random } from "@coalmine/ports";
import type { Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { uuid } from "../uuid.ts";
import { iotArn } from "./arn.ts";
import { alreadyExists, invalid, notFound } from "./operation.ts";

export interface ThingType {
  readonly thingTypeName: string;
  readonly thingTypeId: string;
  readonly description: string | undefined;
  readonly createdAt: number;
  /** Since when no thing may take it. */
  readonly deprecatedAt?: number;
}

/** What things may be of. */
export class ThingTypes {
  readonly table: Table<ThingType>;
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: {
    readonly place: Place;
    readonly store: Store;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.table = options.store.table("iot-thing-types");
    this.#place = options.place;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  get(name: string): ThingType {
    const type = this.table.get(name);
    if (type === undefined) throw notFound(`Thing type ${name}`);
    return type;
  }

  /** @throws ServiceError where no thing may take it. */
  checkTakes(name: string): void {
    if (this.get(name).deprecatedAt !== undefined) throw invalid(`Thing type ${name} is deprecated.`);
  }

  create(name: string, description?: string): ThingType {
    const former = this.table.get(name);
    if (former !== undefined) {
      if (former.description === description) return former;
      throw alreadyExists(`Thing type ${name}`, former.thingTypeId, iotArn(this.#place, "thingtype", name));
    }
    const type = {
      thingTypeName: name,
      thingTypeId: uuid(this.#random),
      description,
      createdAt: this.#clock.now(),
    };
    this.table.set(name, type);
    return type;
  }
}
