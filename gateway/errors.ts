// Operating failures of the gateway. Codes are API: they stand in logs, HTTP bodies and the README. Add freely;
// never rename or reuse one.
const CODES = {
  CONFIG_INVALID: { status: 500, retry: false, text: "the configuration is not valid" },
  REGISTRY_INVALID: { status: 422, retry: false, text: "the registry is not valid" },
  FILE_UNREADABLE: { status: 500, retry: false, text: "a file cannot be read" },
  FILE_UNWRITABLE: { status: 500, retry: false, text: "a file cannot be written" },
  ADDRESS_IN_USE: { status: 500, retry: false, text: "the address is in use by another program" },
  ADDRESS_UNKNOWN: { status: 500, retry: false, text: "this machine has no such address or interface" },
  ADDRESS_NOT_ALLOWED: { status: 500, retry: false, text: "this user may not listen at this address" },
  DATA_IN_USE: { status: 500, retry: false, text: "another gateway runs on this data folder" },
  JOURNAL_UNUSABLE: { status: 503, retry: true, text: "the journal cannot be read or written" },
  JOURNAL_BUSY: { status: 503, retry: true, text: "too many rows wait for the journal" },
  JOURNAL_CLOSED: { status: 503, retry: true, text: "the journal is closed" },
  HISTORY_UNUSABLE: { status: 503, retry: true, text: "history cannot be read or written" },
  HISTORY_BUSY: { status: 503, retry: true, text: "history is asked too much at once" },
  RANGE_INVALID: { status: 400, retry: false, text: "this range of time cannot be told" },
  FIELD_UNKNOWN: { status: 400, retry: false, text: "there is no field with this name" },
  ALERT_UNKNOWN: { status: 404, retry: false, text: "there is no open alert with this id" },
  ALERT_NOT_ACKNOWLEDGEABLE: { status: 409, retry: false, text: "this alert is acknowledged already" },
  ALERT_ACT_REFUSED: { status: 409, retry: false, text: "that cannot be done to this alert now" },
  SHELF_TIME_INVALID: { status: 422, retry: false, text: "an alert cannot be put away until then" },
  RECIPIENT_UNKNOWN: { status: 404, retry: false, text: "nobody has this id, or no mute is in force" },
  MUTE_INVALID: { status: 422, retry: false, text: "nobody can be left out until then" },
  REGISTRY_CHANGED: { status: 412, retry: false, text: "the registry is another by now" },
  ASSET_UNKNOWN: { status: 404, retry: false, text: "there is no asset with this id" },
  ASSIGNMENT_IMPOSSIBLE: { status: 409, retry: false, text: "this assignment cannot be" },
  POINT_UNKNOWN: { status: 404, retry: false, text: "there is no point with this id" },
  ENTRY_INVALID: { status: 422, retry: false, text: "this cannot be told of a point" },
  REQUEST_UNKNOWN: { status: 404, retry: false, text: "there is no request with this id" },
  ASK_INVALID: { status: 422, retry: false, text: "this cannot be asked" },
  REQUEST_STEP_REFUSED: { status: 409, retry: false, text: "this request cannot take that step" },
  REQUESTS_FULL: { status: 409, retry: false, text: "too many requests are open at this point" },
  DOWNLINK_INVALID: { status: 422, retry: false, text: "a device cannot be told this" },
  DOWNLINK_UNKNOWN: { status: 404, retry: false, text: "nothing waits for this device under this id" },
  DOWNLINKS_FULL: { status: 409, retry: false, text: "too much waits for this device already" },
  DEVICE_EXISTS: { status: 409, retry: false, text: "there is a device with this id already" },
  LORAWAN_KEY_REFUSED: { status: 422, retry: false, text: "this key cannot be used" },
  LORAWAN_OFF: { status: 409, retry: false, text: "this gateway runs no LoRaWAN network" },
  IMPORT_INVALID: { status: 422, retry: false, text: "these devices cannot be imported" },
  DEVICE_UNKNOWN: { status: 404, retry: false, text: "there is no device with this id" },
  SIGN_IN_REFUSED: { status: 401, retry: false, text: "the name or the password is not right" },
  SIGN_IN_BUSY: { status: 503, retry: true, text: "too many people sign in at once" },
  SIGN_IN_NEEDED: { status: 401, retry: false, text: "sign in first" },
  NOT_ALLOWED: { status: 403, retry: false, text: "this role may not do that" },
  ORIGIN_FOREIGN: { status: 403, retry: false, text: "a page of another origin may not act here" },
  PASSPHRASE_WRONG: { status: 500, retry: false, text: "the passphrase is not the right one, or the file was changed" },
  PASSPHRASE_NEEDED: { status: 500, retry: false, text: "the keys in this copy are sealed" },
  COPY_AHEAD: { status: 500, retry: false, text: "the copy knows of more than the journal" },
  COPY_UNUSABLE: { status: 500, retry: false, text: "nothing can be restored from this copy" },
  COPY_UNNAMED: { status: 500, retry: false, text: "there are copies of more than one journal here" },
  SHEET_INVALID: { status: 500, retry: false, text: "the recovery sheet is not typed as it stands" },
  PERSON_EXISTS: { status: 409, retry: false, text: "there is a person with this name already" },
} as const;

export type ErrorCode = keyof typeof CODES;
export const ERROR_CODES = Object.keys(CODES) as readonly ErrorCode[];
export type ErrorDetail = Readonly<Record<string, string | number | readonly string[]>>;

/** An operating failure: code and text are fixed, data is in `detail`, `retry` says whether time can cure it. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;
  readonly retry: boolean;
  readonly status: number;
  constructor(code: ErrorCode, detail: ErrorDetail = {}, options?: ErrorOptions) {
    super(CODES[code].text, options);
    this.name = "GatewayError";
    this.code = code;
    this.detail = detail;
    this.retry = CODES[code].retry;
    this.status = CODES[code].status;
  }
}

/** For bugs only: bad bytes are values, a full disk or a lost sink is a GatewayError. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`);
}
