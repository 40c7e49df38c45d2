/** Byte streams to instruments: serial ports and TCP. */

export interface LinkInfo {
  /** Stable across unplugging and restarts where the hardware allows (by-id name, else the path). */
  readonly id: string;
  readonly path: string;
  /** What else it may be opened by: by its USB identity, `usb:vendor:product:serial` or `usb:vendor:product@location`. */
  readonly aliases?: readonly string[];
}

export type LinkTarget =
  | {
      readonly kind: "serial";
      readonly id: string;
      readonly baudRate: number;
      /** 8, none and 1 unless stated. */
      readonly dataBits?: 7 | 8;
      readonly parity?: "none" | "even" | "odd";
      readonly stopBits?: 1 | 2;
    }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Why a link closed: we asked, or the other end or the cable went. */
export type LinkClosed = { readonly by: "us" } | { readonly by: "other"; readonly reason: string };

/** An open byte stream. Bytes arrive in order through `onData`; each handler is set once, right after opening. */
export interface Link {
  /** Resolves when the bytes were handed to the operating system; rejects when the link is closed. */
  write(bytes: Uint8Array): Promise<void>;
  onData(receive: (bytes: Uint8Array) => void): void;
  onClose(closed: (why: LinkClosed) => void): void;
  close(): Promise<void>;
}

export interface Links {
  list(): Promise<readonly LinkInfo[]>;
  /** Calls `changed` when a port appears or disappears. */
  watch(changed: () => void): { close(): void };
  /** Rejects with a `LinkError` when there is no such port, or it is taken. A new link for each opening. */
  open(target: LinkTarget): Promise<Link>;
}

export interface LinkError extends Error {
  readonly name: "LinkError";
  readonly code: "NO_SUCH_LINK" | "LINK_BUSY" | "LINK_DENIED" | "LINK_FAILED";
}
