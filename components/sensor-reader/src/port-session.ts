/** What runs on one open link, whichever protocol it speaks. */
export interface PortSession {
  readonly port: string;
  /** Whether it ever came to read: what tells a bad port from a bad moment. */
  readonly hasRead: boolean;
  /** Runs until the link is gone; why it went. Never rejects. */
  run(): Promise<string>;
  close(why: string): void;
}
