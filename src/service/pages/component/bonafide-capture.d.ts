/** What `POST /v1/sessions` answered; the element reads the two addresses. */
export interface OpenedSession {
  id: string;
  /** Opened on a phone. */
  phone_url: string;
  /** Opened on a computer: shows the code and what comes of it. */
  watch_url: string;
  [more: string]: unknown;
}

export type Decision = "accept" | "retake" | "review" | "reject";

/** What the page may know of a session. Not to be relied on by a back end: that asks the service. */
export interface SessionOutline {
  id: string;
  state: "waiting" | "claimed" | "done" | "expired";
  steps: {
    expect: string;
    state: "waiting" | "checking" | "retake" | "done";
    /** Null until the photograph was judged. */
    decision: Decision | null;
    attempts: number;
  }[];
}

export interface BonafideCaptureEvents {
  change: CustomEvent<SessionOutline>;
  done: CustomEvent<SessionOutline>;
  expired: CustomEvent<SessionOutline>;
  error: CustomEvent<{ message: string }>;
}

export class BonafideCaptureElement extends HTMLElement {
  session: OpenedSession | null;
  /** Opens another session, where the attribute `open` says how. */
  restart(): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    "bonafide-capture": BonafideCaptureElement;
  }
}
