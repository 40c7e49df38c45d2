import type { Clock, Log, LogFields, LogLevel } from "@coalmine/ports";

/** A log that writes one JSON line an event through `write`. Keys in a fixed order, so that lines compare. */
export function jsonLog(source: string, clock: Clock, write: (line: string) => void): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      write(JSON.stringify({ timestamp: Math.round(clock.now()), level, source, message, ...fields }));
  return { debug: at("DEBUG"), info: at("INFO"), warn: at("WARN"), error: at("ERROR") };
}

/** A log that keeps nothing. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}
