import type { DeviceConduct } from "../hosted/hosted-device.ts";

const EXAMPLES_MAX = 20;

/** Of one run of a component, by topic: they publish to the same few again and again. */
interface Publications {
  readonly prefix: string;
  readonly local: Map<string, number>;
  readonly cloud: Map<string, number>;
}

/** What components of a fleet published and called, counted; and what they were refused. */
export class ConductWitness {
  readonly #publications: Publications[] = [];
  /** `service operation` → how many. */
  readonly calls = new Map<string, number>();
  /** The first few, in words. */
  readonly refusals: string[] = [];

  ofThing(thingName: string): DeviceConduct {
    return {
      of: (component) => {
        const of = { prefix: `${thingName} ${component}`, local: new Map(), cloud: new Map() };
        this.#publications.push(of);
        return {
          published: (where, topic) => count(of[where], topic),
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

  /** `thing component where topic` → how many. */
  get published(): ReadonlyMap<string, number> {
    const published = new Map<string, number>();
    for (const { prefix, local, cloud } of this.#publications)
      for (const [where, counts] of Object.entries({ local, cloud }))
        for (const [topic, times] of counts) count(published, `${prefix} ${where} ${topic}`, times);
    return published;
  }

  #refuse(what: string): void {
    if (this.refusals.length < EXAMPLES_MAX) this.refusals.push(what);
  }
}

function count(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
