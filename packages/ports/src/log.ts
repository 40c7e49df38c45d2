export type LogLevel = "DEBUG" | "INFO" | "WARN" | "ERROR";
export type LogFields = { readonly [key: string]: string | number | boolean | null | undefined };

/** One JSON line an event, on the component's own log. Messages are fixed sentences; what varies goes into fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
