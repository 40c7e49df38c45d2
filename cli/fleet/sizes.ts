/** More do not fit on a machine: a process device takes about 100 MiB, a hosted one about one. */
export const PROCESS_DEVICES_MAX = 64;
export const HOSTED_DEVICES_MAX = 20_000;
