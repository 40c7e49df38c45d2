import * as z from "zod";
import type { Language } from "../language.ts";
import { FILE_BYTES_MAX } from "./file-limit.ts";

/** In the order in which they are taken. */
export const stepNames = [
  "site",
  "clock",
  "network",
  "checks",
  "self-test",
  "calibration",
  "identity",
  "label",
  "report",
] as const;
export const StepName = z.enum(stepNames);
export type StepName = z.infer<typeof StepName>;

/** How a statement is meant. It is always said in words, too: nobody has to see colours. */
export type Tone = "good" | "bad" | "warn" | "busy" | "info";

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly detail?: string;
}

/** What a screen is made of. The page and the terminal draw the same blocks; texts are in the technician's language. */
export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "note"; readonly tone: Tone; readonly text: string; readonly detail?: string }
  | { readonly kind: "facts"; readonly rows: readonly { readonly label: string; readonly value: string }[] }
  /** Each found to be well or not, with what to do. */
  | {
      readonly kind: "findings";
      readonly title: string;
      readonly rows: readonly { readonly tone: Tone; readonly label: string; readonly text: string }[];
    }
  /** `secret` is not shown while it is typed, and never comes back in a view. */
  | {
      readonly kind: "input";
      readonly name: string;
      readonly label: string;
      readonly type: "text" | "secret" | "number";
      readonly value?: string;
      readonly hint?: string;
      readonly isOptional?: boolean;
    }
  /** A file of whoever looks on: the page takes one of the phone's, a terminal asks for its path. It never comes back in a view. */
  | {
      readonly kind: "file";
      readonly name: string;
      readonly label: string;
      readonly hint?: string;
      readonly isOptional?: boolean;
      /** How such names end, by which a phone shows those first: `.p12,.pem`. */
      readonly accept: string;
    }
  /** The time of whoever looks on: the page sends its own, in ms since 1970; a terminal asks. */
  | { readonly kind: "now"; readonly name: string; readonly label: string }
  | {
      readonly kind: "choice";
      readonly name: string;
      readonly label: string;
      readonly options: readonly Choice[];
      readonly value?: string;
    }
  /** To be handed on to somebody else, as it is. */
  | { readonly kind: "copy"; readonly label: string; readonly text: string }
  /** Markup of ours, never of what somebody typed; `text` says the same to whoever sees no picture. */
  | { readonly kind: "picture"; readonly svg: string; readonly text: string }
  | {
      readonly kind: "files";
      readonly title: string;
      readonly rows: readonly { readonly label: string; readonly name: string }[];
    };

/** What may be done now. The values of the screen's inputs and choices go with it. */
export interface Button {
  readonly action: string;
  readonly label: string;
  readonly kind: "primary" | "plain" | "danger";
}

export interface Screen {
  readonly blocks: readonly Block[];
  readonly buttons: readonly Button[];
}

/** `later`: the rest of it is done without anybody, when there is a network. */
export type StepState = "open" | "done" | "skipped" | "later";

/** All that a technician sees. Nothing in it is secret. */
export interface View extends Screen {
  /** Grows with every change. */
  readonly version: number;
  readonly language: Language;
  readonly step: StepName;
  readonly title: string;
  readonly steps: readonly {
    readonly name: StepName;
    readonly title: string;
    readonly state: StepState;
    readonly stateText: string;
    readonly isCurrent: boolean;
  }[];
  /** Something is under way: buttons wait until it is over. */
  readonly isBusy: boolean;
  /** Words of the frame around the blocks. */
  readonly frame: Frame;
}

export interface Frame {
  readonly program: string;
  readonly steps: string;
  readonly copy: string;
  readonly copied: string;
  readonly lostTouch: string;
  readonly optional: string;
  /** Of a file that was chosen, and cannot be what was asked for. */
  readonly tooLarge: string;
  readonly unreadable: string;
  readonly toneWords: Readonly<Record<Tone, string>>;
}

const FILE_BASE64_MAX = 4 * Math.ceil(FILE_BYTES_MAX / 3);

/** What a technician does. `step` is the one that they saw: on another nothing happens. */
export const Deed = z.strictObject({
  step: StepName,
  action: z.string().regex(/^[a-z][A-Za-z0-9._-]{0,63}$/),
  values: z.record(z.string().max(32), z.string().max(4096)).default({}),
  /** By the names of the screen's file blocks. */
  files: z.record(z.string().max(32), z.base64().max(FILE_BASE64_MAX)).optional(),
});
export type Deed = z.infer<typeof Deed>;
export type Values = Deed["values"];
