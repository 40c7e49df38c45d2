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
    kind: z.literal("serial").describe("A serial port."),
    id: z.string().min(1).max(256).describe("The port by its stable id."),
    baudRate: z.int().min(300).max(4_000_000).default(9600).describe("Bits a second."),
    dataBits: z
      .union([z.literal(7), z.literal(8)])
      .default(8)
      .describe("Of a character."),
    parity: z.enum(["none", "even", "odd"]).default("none").describe("Of a character."),
    stopBits: z
      .union([z.literal(1), z.literal(2)])
      .default(1)
      .describe("Of a character."),
  }),
  z.strictObject({
    kind: z.literal("tcp").describe("A TCP server."),
    host: z.string().min(1).max(253).describe("Name or address."),
    port: z.int().min(1).max(65_535).default(502).describe("Modbus has 502."),
  }),
]);

const ModbusPoint = z
  .strictObject({
    ...channelShape,
    function: z
      .union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)])
      .describe("1 coils, 2 discrete inputs, 3 holding registers, 4 input registers."),
    address: z
      .int()
      .min(0)
      .max(65_535)
      .describe("As it goes over the line, from 0: register 40001 of a manual is function 3, address 0."),
    type: RegisterType.default("u16").describe("What the registers hold."),
    order: RegisterOrder.default("abcd").describe("Of the bytes."),
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
  id: InstrumentId.describe("Its name in every reading."),
  unit: z.int().min(0).max(255).default(1).describe("The slave."),
  periodSeconds: z
    .number()
    .min(0.01)
    .max(86_400)
    .describe("From start to start; a reading that takes longer makes ticks that are missed and counted."),
  registersMax: z.int().min(4).max(REGISTERS_MAX).default(REGISTERS_MAX).describe("Of one request."),
  gapMax: z
    .int()
    .min(0)
    .max(REGISTERS_MAX)
    .default(8)
    .describe("So many registers that nobody wants are read along rather than asking twice."),
  points: z
    .array(ModbusPoint)
    .min(1)
    .max(POINTS_MAX)
    .refine(hasNoTwins, { message: "each channel stands once" })
    .describe("What is read."),
});
export type ModbusInstrument = z.infer<typeof ModbusInstrument>;

const ModbusLine = z.strictObject({
  kind: z.literal("modbus").describe("Modbus slaves."),
  link: LinkConfig.describe("Where it is."),
  framing: z
    .enum(["rtu", "tcp"])
    .describe("RTU goes over serial lines, and over TCP where a converter passes it on unchanged."),
  timeoutMs: z.int().min(10).max(60_000).default(1000).describe("Of one answer."),
  pauseAfterConnectMs: z.int().min(0).max(60_000).default(0).describe("Before the first request."),
  pauseBetweenRequestsMs: z.int().min(0).max(10_000).default(0).describe("Before each other one."),
  diagnostics: z
    .boolean()
    .default(true)
    .describe("False for slaves that cannot bear to be asked for a diagnostic echo (function 8)."),
  lateReplyMaxMs: z
    .int()
    .min(0)
    .max(120_000)
    .default(3000)
    .describe("No slave without diagnostics answers later than this."),
  instruments: z.array(ModbusInstrument).min(1).max(32).describe("The slaves on this line."),
});
export type ModbusLine = z.infer<typeof ModbusLine>;

const TextField = z
  .strictObject({ ...channelShape, at: z.int().min(0).max(63).describe("Which field of the line, from 0.") })
  .superRefine((field, context) => {
    const refusal = channelRefusal(field);
    if (refusal !== undefined) context.addIssue({ code: "custom", message: refusal });
  });

/** How a self-test finds out that the instrument is wired and configured right. */
const withinSeconds = z.number().min(0.1).max(600).default(10).describe("In this time.");
const TextTest = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("listen").describe("It sends by itself."),
    lines: z.int().min(1).max(100).default(3).describe("So many plausible lines."),
    withinSeconds,
  }),
  z.strictObject({
    kind: z.literal("ask").describe("It answers."),
    send: z.string().min(1).max(256).describe("Sent as it stands here."),
    expects: z.string().min(1).max(256).describe("How the answering line begins."),
    withinSeconds,
  }),
]);

const TextLine = z.strictObject({
  kind: z.literal("text").describe("An instrument that sends lines of text."),
  link: LinkConfig.describe("Where it is."),
  id: InstrumentId.describe("Its name in every reading."),
  delimiter: z
    .string()
    .min(1)
    .max(4)
    .refine(
      (text) => text.split("").every((each) => each > "\0" && each <= "\x7f"),
      "ASCII characters without NUL",
    )
    .refine((delimiter) => new Set(delimiter).size === delimiter.length, "no character twice")
    .default("\n")
    .describe("Ends a line."),
  checksum: z
    .enum(["none", "nmea"])
    .default("none")
    .describe("`nmea`: `$…*hh`, and what does not fit is refused."),
  separator: z.string().length(1).default(",").describe("Parts fields."),
  silentSeconds: z
    .number()
    .min(0.1)
    .max(86_400)
    .default(60)
    .describe("After so long without a line the link is opened anew."),
  sentences: z
    .array(
      z.strictObject({
        begins: z.string().max(32).default("").describe("How the first field begins."),
        fields: z
          .array(TextField)
          .min(1)
          .max(64)
          .refine(hasNoTwins, { message: "each channel stands once" })
          .describe("What is read."),
      }),
    )
    .min(1)
    .max(32)
    .describe("The lines that are readings; the first that fits counts, others are passed over."),
  selfTest: TextTest.prefault({ kind: "listen" }).describe(
    "How a self-test tests it; reading passes it over.",
  ),
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
