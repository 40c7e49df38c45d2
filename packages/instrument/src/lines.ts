import { InstrumentId } from "@coalmine/contract";
import {
  type Manners,
  REGISTERS_MAX,
  RegisterOrder,
  RegisterType,
  typeSize,
  type Wanted,
} from "@coalmine/modbus";
import { silenceMs } from "@coalmine/modbus/rtu";
import * as z from "zod";
import { channelRefusal, channelShape } from "./channel.ts";

/**
 * Instruments that do not speak the framed protocol: Modbus slaves, and whatever sends lines of text. sensor-reader reads
 * them by this configuration, and commissioning tests them by the same.
 */

const LinkConfig = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("serial"),
    /** The port by its stable id. */
    id: z.string().min(1).max(256),
    baudRate: z.int().min(300).max(4_000_000).default(9600),
    dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
    parity: z.enum(["none", "even", "odd"]).default("none"),
    stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  }),
  z.strictObject({
    kind: z.literal("tcp"),
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).default(502),
  }),
]);

const ModbusPoint = z
  .strictObject({
    ...channelShape,
    /** 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers. */
    function: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
    /** As it goes over the line, from 0: what a manual calls register 40001 is function 3, address 0. */
    address: z.int().min(0).max(65_535),
    type: RegisterType.default("u16"),
    order: RegisterOrder.default("abcd"),
  })
  .superRefine((point, context) => {
    const refusal = channelRefusal(point);
    if (refusal !== undefined) context.addIssue({ code: "custom", message: refusal });
    if ((point.type === "bit") !== point.function <= 2)
      context.addIssue({
        code: "custom",
        path: ["type"],
        message: `function ${point.function} reads ${point.function <= 2 ? 'bits: type "bit"' : "registers: any type but bit"}`,
      });
    if (point.address + typeSize[point.type] > 65_536)
      context.addIssue({
        code: "custom",
        path: ["address"],
        message: `a ${point.type} takes ${typeSize[point.type]} registers, the last address is 65535`,
      });
  });
export type ModbusPoint = z.infer<typeof ModbusPoint>;

const POINTS_MAX = 200;

const ModbusInstrument = z.strictObject({
  id: InstrumentId,
  unit: z.int().min(0).max(255).default(1),
  /** From start to start; a reading that takes longer makes ticks that are missed and counted, never bunched. */
  periodSeconds: z.number().min(0.01).max(86_400),
  registersMax: z.int().min(4).max(REGISTERS_MAX).default(REGISTERS_MAX),
  /** So many registers that nobody wants are read along rather than asking twice. */
  gapMax: z.int().min(0).max(REGISTERS_MAX).default(8),
  points: z.array(ModbusPoint).min(1).max(POINTS_MAX).refine(hasNoTwins, {
    message: "each channel stands once",
  }),
});
export type ModbusInstrument = z.infer<typeof ModbusInstrument>;

const ModbusLine = z.strictObject({
  kind: z.literal("modbus"),
  link: LinkConfig,
  /** RTU goes over serial lines, and over TCP where a converter passes it on unchanged. */
  framing: z.enum(["rtu", "tcp"]),
  timeoutMs: z.int().min(10).max(60_000).default(1000),
  pauseAfterConnectMs: z.int().min(0).max(60_000).default(0),
  pauseBetweenRequestsMs: z.int().min(0).max(10_000).default(0),
  /** False for slaves that cannot bear to be asked for a diagnostic echo (function 8). */
  diagnostics: z.boolean().default(true),
  /** No slave without diagnostics answers later than this. */
  lateReplyMaxMs: z.int().min(0).max(120_000).default(3000),
  instruments: z.array(ModbusInstrument).min(1).max(32),
});
export type ModbusLine = z.infer<typeof ModbusLine>;

const TextField = z
  .strictObject({ ...channelShape, /** Which field of the line, from 0. */ at: z.int().min(0).max(63) })
  .superRefine((field, context) => {
    const refusal = channelRefusal(field);
    if (refusal !== undefined) context.addIssue({ code: "custom", message: refusal });
  });

/** How commissioning finds out that the instrument is wired and configured right. */
const TextTest = z.discriminatedUnion("kind", [
  /** It sends by itself: so many plausible lines in that time. */
  z.strictObject({
    kind: z.literal("listen"),
    lines: z.int().min(1).max(100).default(3),
    withinSeconds: z.number().min(0.1).max(600).default(10),
  }),
  /** It answers: a line that begins with `expects` in that time after `send`, which is sent as it stands here. */
  z.strictObject({
    kind: z.literal("ask"),
    send: z.string().min(1).max(256),
    expects: z.string().min(1).max(256),
    withinSeconds: z.number().min(0.1).max(600).default(10),
  }),
]);

const TextLine = z.strictObject({
  kind: z.literal("text"),
  link: LinkConfig,
  id: InstrumentId,
  delimiter: z
    .string()
    .min(1)
    .max(4)
    .refine(
      (text) => text.split("").every((each) => each > "\0" && each <= "\x7f"),
      "ASCII characters without NUL",
    )
    .refine((delimiter) => new Set(delimiter).size === delimiter.length, "no character twice")
    .default("\n"),
  /** `nmea`: `$…*hh`, and what does not fit is refused. */
  checksum: z.enum(["none", "nmea"]).default("none"),
  separator: z.string().length(1).default(","),
  /** After so long without a line the link is opened anew. */
  silentSeconds: z.number().min(0.1).max(86_400).default(60),
  /** Lines whose first field begins so are readings; the first that fits counts, other lines are passed over. */
  sentences: z
    .array(
      z.strictObject({
        begins: z.string().max(32).default(""),
        fields: z.array(TextField).min(1).max(64).refine(hasNoTwins, { message: "each channel stands once" }),
      }),
    )
    .min(1)
    .max(32),
  selfTest: TextTest.prefault({ kind: "listen" }),
});
export type TextLine = z.infer<typeof TextLine>;

export const LineConfig = z.discriminatedUnion("kind", [ModbusLine, TextLine]);
export type LineConfig = z.infer<typeof LineConfig>;

/** All lines of a reader: no instrument and no link may stand twice. */
export const LinesConfig = z
  .array(LineConfig)
  .max(32)
  .superRefine((lines, context) => {
    for (const [what, names] of [
      ["instrument", lines.flatMap(instrumentsOf).map(String)],
      ["link", lines.map(({ link }) => linkName(link))],
    ] as const)
      for (const twin of new Set(names.filter((name, index) => names.indexOf(name) !== index)))
        context.addIssue({
          code: "custom",
          message: `the ${what} ${twin} stands twice: each may stand once`,
        });
  });

export function instrumentsOf(line: LineConfig): InstrumentId[] {
  return line.kind === "text" ? [line.id] : line.instruments.map(({ id }) => id);
}

export function linkName(link: LineConfig["link"]): string {
  return link.kind === "serial" ? link.id : `tcp ${link.host}:${link.port}`;
}

/** How the master is to treat a line's slaves. */
export function mannersOf(line: ModbusLine): Manners {
  return { ...line, silenceMs: line.link.kind === "serial" ? silenceMs(line.link.baudRate) : 0 };
}

/** A point as the planner of requests wants it. */
export function pointItem(point: ModbusPoint): Wanted & { readonly point: ModbusPoint } {
  return { function: point.function, address: point.address, count: typeSize[point.type], point };
}

function hasNoTwins(points: readonly { readonly channel: string }[]): boolean {
  return new Set(points.map(({ channel }) => channel)).size === points.length;
}
