import type { DeviceConduct } from "../hosted/hosted-device.ts";

const EXAMPLES_MAX = 20;
/** Of one component whose names are kept put together. */
const TOPICS_MAX = 100;

/** What components of a fleet published and called, counted; and what they were refused. */
export class ConductWitness {
  /** `thing component where topic` → how many. */
  readonly published = new Map<string, number>();
  /** `service operation` → how many. */
  readonly calls = new Map<string, number>();
  /** The first few, in words. */
  readonly refusals: string[] = [];

  ofThing(thingName: string): DeviceConduct {
    return {
      of: (component) => {
        // Components publish to the same few topics again and again: putting their names together costs more than to count.
        const names = { local: new Map<string, string>(), cloud: new Map<string, string>() };
        return {
          published: (where, topic) => {
            let name = names[where].get(topic);
            if (name === undefined) {
              name = `${thingName} ${component} ${where} ${topic}`;
              if (names[where].size < TOPICS_MAX) names[where].set(topic, name);
            }
            count(this.published, name);
          },
          refused: (what) => this.#refuse(`${component} on ${thingName}: ${what}`),
        };
      },
      called: (service, operation, refusal) => {
        count(this.calls, `${service} ${operation}`);
        if (refusal !== undefined && /AccessDenied|UnauthorizedOperation|NotAuthorized/.test(refusal))
          this.#refuse(`${service} ${operation} of ${thingName}: ${refusal}`);
      },
    };
  }

  #refuse(what: string): void {
    if (this.refusals.length < EXAMPLES_MAX) this.refusals.push(what);
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
