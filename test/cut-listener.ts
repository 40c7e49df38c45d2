import { DeviceEvent, EntryEvent } from "@coalmine/contract/operator-api";
import { eventsOf } from "./operator-contract.ts";

/** Listens to the live stream, and cuts it whenever it has heard enough. */
export class CutListener {
  /** `rollout/sequence` and `thing@time`, as they came. */
  readonly heard: string[] = [];
  readonly #ask: (headers: Record<string, string>) => Promise<Response>;
  #id = "";

  constructor(ask: (headers: Record<string, string>) => Promise<Response>) {
    this.#ask = ask;
  }

  /** Takes the place from which all is to be heard. */
  async begin(): Promise<void> {
    for await (const { id } of eventsOf(await this.#ask({}))) {
      this.#id = id;
      return;
    }
  }

  /** Hears so many events from where it was. */
  async hear(count: number): Promise<void> {
    if (count === 0) return;
    let left = count;
    for await (const { event, data, id } of eventsOf(await this.#ask({ "last-event-id": this.#id }))) {
      this.#id = id;
      if (event === "entry") {
        const { rollout, sequence } = EntryEvent.parse(JSON.parse(data));
        this.heard.push(`${rollout}/${sequence}`);
      } else if (event === "device") {
        const { row, atMs } = DeviceEvent.parse(JSON.parse(data));
        this.heard.push(`${row.thing}@${atMs}`);
      } else continue;
      if (--left === 0) return;
    }
  }
}
