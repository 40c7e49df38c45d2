import type {
  BeatEvent,
  DeviceEvent,
  EntryEvent,
  ReloadEvent,
  Session,
} from "@coalmine/contract/operator-api";
import type { ReadonlySignal, Signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Ask } from "../door/asking.ts";
import type { Line } from "../door/live.ts";
import type { Place } from "../place/place.ts";
import type { FleetClocks } from "../shown/clocks.ts";
import type { Texts } from "../texts/en.ts";
import type { Language } from "../texts/languages.ts";
import type { Choices } from "./choices.ts";

/** What the stream tells. */
export type Heard =
  | ({ readonly event: "entry" } & EntryEvent)
  | ({ readonly event: "device" } & DeviceEvent)
  | ({ readonly event: "reload" } & ReloadEvent)
  | ({ readonly event: "beat" } & BeatEvent);

export type Signed =
  | { readonly kind: "asking" }
  | { readonly kind: "in"; readonly session: Session }
  /** `ended`: somebody was. */
  | { readonly kind: "out"; readonly ended: boolean };

/** What every page works with; made in `main.tsx`. */
export interface Desk {
  readonly ask: Ask;
  readonly place: ReadonlySignal<Place>;
  /** `replaces` leaves no step to go back to: what is typed into a filter is one step. */
  readonly go: (place: Place, how?: "replaces") => void;
  readonly signed: Signal<Signed>;
  readonly line: ReadonlySignal<Line>;
  /** Since when nothing has come from the server, in ms; undefined while that is not long. */
  readonly quietMs: ReadonlySignal<number | undefined>;
  readonly clocks: FleetClocks;
  /** Ticks once a second, and with each word about a fleet's clock: what shows an age reads it. */
  readonly tick: ReadonlySignal<number>;
  /** Calls back for all that is heard until it is told to stop. */
  readonly listen: (listener: (heard: Heard) => void) => () => void;
  /** Follows a device's log behind a cursor. */
  readonly followLog: (thing: string, query: Readonly<Record<string, string>>, parts: LogParts) => () => void;
  readonly choices: Choices;
  readonly language: ReadonlySignal<Language>;
  readonly texts: ReadonlySignal<Texts>;
  readonly files: typeof import("@coalmine/contract/operator-api").operatorFiles;
}

export interface LogParts {
  readonly line: (line: import("@coalmine/contract/operator-api").LogLine) => void;
  readonly state: (line: Line) => void;
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === undefined) throw new Error("a page stands in the frame, which has the desk");
  return desk;
}
