import type { Measurement } from "@coalmine/contract";
import type { Manifest, Postprocessing } from "./manifest.ts";
import type { Score } from "./score.ts";
import type { Window } from "./window.ts";

/** What `abnormality` says where the model abstains. */
export const ABSTAINED = -1;
/** Instruments whose alarm is remembered; beyond this the one that was heard of longest ago is forgotten. */
const INSTRUMENTS_MAX = 1000;

interface Alarm {
  on: boolean;
  /** Windows in turn that spoke against the present state. */
  against: number;
}

/** What a model's manifest makes of its scores. Windows of an instrument come in order; its alarm is all the state. */
export class Results {
  readonly #alarms = new Map<string, Alarm>();

  /** The points that a scored window gives, named by the window's last sequence number. */
  of(window: Window, score: Score, manifest: Manifest): Measurement[] {
    const { outputs, postprocessing } = manifest;
    const abstains = score.probability < (postprocessing?.threshold?.probabilityMin ?? 0);
    const { scale, offset } = postprocessing?.calibrate ?? { scale: 1, offset: 0 };
    const point = pointsOf(window, manifest);
    const points = [
      point(outputs.value.channel, scale * score.value + offset, outputs.value.unit),
      point("abnormality", abstains ? ABSTAINED : score.classIndex, "1"),
      point("abnormality-probability", score.probability, "1"),
    ];
    if (postprocessing?.hysteresis !== undefined)
      points.push(
        point("abnormality-alarm", this.#alarm(window, score, manifest, postprocessing.hysteresis), "1"),
      );
    return points;
  }

  #alarm(
    { instrument }: Window,
    { probabilities }: Score,
    { outputs }: Manifest,
    of: NonNullable<Postprocessing["hysteresis"]>,
  ): 0 | 1 {
    const alarm = this.#alarms.get(instrument) ?? { on: false, against: 0 };
    this.#alarms.delete(instrument);
    this.#alarms.set(instrument, alarm);
    for (const oldest of this.#alarms.keys()) {
      if (this.#alarms.size <= INSTRUMENTS_MAX) break;
      this.#alarms.delete(oldest);
    }
    const probability = outputs.classes.labels.reduce(
      (sum, label, index) => (of.classes.includes(label) ? sum + (probabilities[index] ?? 0) : sum),
      0,
    );
    const speaksAgainst = alarm.on ? probability <= of.leave : probability >= of.enter;
    alarm.against = speaksAgainst ? alarm.against + 1 : 0;
    if (alarm.against >= of.windows) {
      alarm.on = !alarm.on;
      alarm.against = 0;
    }
    return alarm.on ? 1 : 0;
  }
}

/** Makes points of a window's results, each with the whole of where it came from. */
function pointsOf(window: Window, manifest: Manifest) {
  const { instrument, boot, sampleTimeMs, sampleTimeUncertaintyMs, quality, calibrationId } = window;
  const derivation: Measurement["derivation"] = {
    modelSha256: manifest.sha256,
    modelComponent: manifest.component,
    ...(manifest.version === undefined ? {} : { modelVersion: manifest.version }),
    preprocessingVersion: manifest.preprocessing.version,
    ...(manifest.postprocessing === undefined
      ? {}
      : { postprocessingVersion: manifest.postprocessing.version }),
    inputFrom: window.from,
    inputTo: window.to,
  };
  return (channel: string, value: number, unit: string): Measurement => ({
    instrument,
    boot,
    sequence: window.to,
    channel,
    sampleTimeMs,
    sampleTimeUncertaintyMs,
    value,
    unit,
    quality,
    calibrationId,
    derivation,
  });
}
