/** As log-manager names a device's streams: one a day, and no `:`, which CloudWatch refuses in names. `dayMs` is any time of the day. */
export function logStreamName(dayMs: number, thing: string): string {
  const day = new Date(dayMs).toISOString().slice(0, 10).replaceAll("-", "/");
  return `/${day}/thing/${thing.replaceAll(":", "+")}`;
}
