/** One two-way exchange: when the question left and the answer came (host, ms), when it came and left there (device, µs). */
export interface Exchange {
  readonly askedMs: number;
  readonly receivedUs: number;
  readonly answeredUs: number;
  readonly heardMs: number;
}

export interface HostTime {
  /** On the host's monotonic clock. */
  readonly ms: number;
  readonly uncertaintyMs: number;
}

/** What is known from one burst: at `deviceUs` the host's clock stood between `lowMs` and `highMs`. */
interface Anchor {
  readonly deviceUs: number;
  readonly lowMs: number;
  readonly highMs: number;
}

/** A quartz is this wrong at most, as a share, before it has been watched. */
const DRIFT_MAX = 100e-6;
/** And this wrong after, by temperature. */
const DRIFT_CHANGE = 2e-6;
const ANCHORS_MAX = 8;
/** Timer resolution and scheduling; no error is stated smaller. */
const FLOOR_MS = 0.05;

/** How wrong the time of a burst's last exchange may be, in ms. */
export function burstErrorMs(burst: readonly Exchange[]): number {
  const bounds = boundsOf(burst);
  return bounds === undefined ? Infinity : Math.abs(bounds.highMs - bounds.lowMs) / 2;
}

function boundsOf(burst: readonly Exchange[]): Anchor | undefined {
  const at = burst.at(-1)?.answeredUs;
  if (at === undefined) return undefined;
  let lowMs = -Infinity;
  let highMs = Infinity;
  for (const { askedMs, receivedUs, answeredUs, heardMs } of burst) {
    const slackMs = (at - receivedUs) * 1e-3 * DRIFT_MAX;
    lowMs = Math.max(lowMs, askedMs + (at - receivedUs) / 1000 - slackMs);
    highMs = Math.min(highMs, heardMs + (at - answeredUs) / 1000 + slackMs);
  }
  return { deviceUs: at, lowMs, highMs };
}

/**
 * Maps an instrument's counter of microseconds, of one boot, to the host's monotonic clock. Each exchange bounds the
 * offset by causality alone (an answer cannot come before its question), so the bounds hold whatever the line's
 * delays are; the exchanges of a burst are intersected, and two bursts apart give the rate.
 */
export class DeviceTime {
  readonly #anchors: Anchor[] = [];

  /** Takes a burst in; the more exchanges, the closer the bounds. */
  add(burst: readonly Exchange[]): void {
    const bounds = boundsOf(burst);
    if (bounds === undefined) return;
    const { deviceUs: at, lowMs, highMs } = bounds;
    // Bounds that cross mean a host clock that jumped: the middle, with the crossing as error.
    this.#anchors.push({ deviceUs: at, lowMs: Math.min(lowMs, highMs), highMs: Math.max(lowMs, highMs) });
    // The oldest stays: the longer the base, the better the rate.
    if (this.#anchors.length > ANCHORS_MAX) this.#anchors.splice(1, 1);
  }

  get known(): boolean {
    return this.#anchors.length > 0;
  }

  /** The host's time of `deviceUs`. Ask only when `known`. */
  at(deviceUs: number): HostTime {
    // The nearest burst, measured from whichever side.
    const near = this.#anchors.reduce<Anchor | undefined>(
      (best, anchor) =>
        best === undefined || Math.abs(anchor.deviceUs - deviceUs) < Math.abs(best.deviceUs - deviceUs)
          ? anchor
          : best,
      undefined,
    );
    if (near === undefined) return { ms: 0, uncertaintyMs: Infinity };
    const { msPerUs, share } = this.#rate();
    const sinceUs = deviceUs - near.deviceUs;
    return {
      ms: (near.lowMs + near.highMs) / 2 + sinceUs * msPerUs,
      uncertaintyMs: FLOOR_MS + (near.highMs - near.lowMs) / 2 + Math.abs(sinceUs) * 1e-3 * share,
    };
  }

  #rate(): { readonly msPerUs: number; readonly share: number } {
    const first = this.#anchors[0];
    const last = this.#anchors.at(-1);
    const plain = { msPerUs: 1e-3, share: DRIFT_MAX };
    if (first === undefined || last === undefined || last.deviceUs <= first.deviceUs) return plain;
    const baseUs = last.deviceUs - first.deviceUs;
    const share =
      DRIFT_CHANGE + (first.highMs - first.lowMs + last.highMs - last.lowMs) / 2 / (baseUs * 1e-3);
    if (share >= DRIFT_MAX) return plain;
    return { msPerUs: (last.lowMs + last.highMs - first.lowMs - first.highMs) / 2 / baseUs, share };
  }
}
