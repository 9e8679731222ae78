/**
 * The vocabulary of stores: what a request to a vector database or key-value store does, in no
 * product's terms. Sessions read requests into it, the gateway decides on it, sessions carry out what
 * was decided. Types and the names of effects only.
 */

/** `describe` is to see that something is there and how it is made; `export` gives out record after record. */
export const STORE_EFFECTS = [
  'describe',
  'search',
  'read',
  'count',
  'export',
  'upsert',
  'delete',
  'drop',
  'create',
  'alter',
  'admin',
] as const;
export type StoreEffect = (typeof STORE_EFFECTS)[number];

/** Something that rules can be about, as the request names it: what it really means is looked up (aliases, ids). */
export interface StoreName {
  /**
   * `collection`: by a name, which may be an alias. `id`: by the server's own id of a collection.
   * `index`: a search index (Redis). `key`: one key. `container`: a database or tenant with all in it.
   */
  readonly kind: 'collection' | 'id' | 'index' | 'key' | 'container';
  /**
   * Outermost first, as many parts as the product has: ["customers"] (Qdrant), ["default", "customers"]
   * (Milvus: database), ["tenant", "database", "customers"] (Chroma). A `container` has fewer.
   */
  readonly path: readonly string[];
}

export interface StoreAccess {
  readonly effect: StoreEffect;
  /** Undefined: the store as a whole, or it cannot be told what: then a block on any one thing holds. */
  readonly target: StoreName | undefined;
}

/** Names from the top of a record (payload, metadata, entity), indexes of lists left out. */
export type FieldPath = readonly string[];

/**
 * Fields that no record has under a name of its own: `#document` (Chroma's text), `#uri`, `#id`,
 * `#element` and `#attributes` (Redis vector sets).
 */
export interface StoreRequest {
  /** As in the product's table: `POST /collections/{c}/points/query`, `qdrant.Points/Query`, `FT.SEARCH`. */
  readonly route: string;
  /** All of them count, second collections in one request too. Empty: it concerns no data (health). */
  readonly accesses: readonly StoreAccess[];
  /** Fields that filter, order, group, count or score: they come back in another form (oracles). */
  readonly steering: readonly FieldPath[];
  /** Why it cannot be told which fields steer (free query text, a script): then any may. */
  readonly steersAny?: string;
  /** Records that it asks for at most; undefined: it asks for none, or no number limits it. */
  readonly limit?: number;
  /** It gives out stored vectors. */
  readonly wantsVectors?: boolean;
  /**
   * Why stored values come to lie under another name (copy, rename, a function's output): masks by the old
   * name do not reach them there, so it is refused where one holds for what it touches.
   */
  readonly carries?: string;
  /**
   * Fields whose values go into scores, or stand in the errors of the store when it cannot reckon with them: they
   * come back whole, so a mask of any mode refuses. They are in `steering` as well.
   */
  readonly computes?: readonly FieldPath[];
  /**
   * A filter holds for it only where the server knows conditional writes; an older one leaves the condition out
   * without a word. So the gateway asks the server first.
   */
  readonly needsConditionalWrites?: boolean;
  /** It is carried out when the client says so, which may be long after it was judged (between MULTI and EXEC). */
  readonly isQueued?: boolean;
}

/** A record counts only where all of these fields have these values. */
export type RecordFilter = readonly {
  readonly field: string;
  readonly value: string;
}[];

/** A request that was read without being sent. */
export interface StoreCall extends StoreRequest {
  /** In one sentence why it cannot be cut down like that; undefined: it can. */
  readonly whyNotRestricted?: (restrictions: Restrictions) => string | undefined;
}

/** What an allowed request is cut down to. */
export interface Restrictions {
  /** Empty: none. Every read gets it, every write is checked against it; what cannot be is refused. */
  readonly filter: RecordFilter;
  /** Records that it may give out at most. */
  readonly limitMax: number | undefined;
  /** No stored vector may come back. */
  readonly hidesVectors: boolean;
}

/** Null: the product's own null, or the empty value of a typed field. */
export type MaskText = (text: string) => string | null;

/** How the values of an answer are masked. Ids, scores and vectors never are. */
export interface FieldMasks {
  /** The mask of the value at `path` or of something it lies in; undefined: none. For values of any type: what is no text becomes null. */
  maskOf(path: FieldPath): MaskText | undefined;
  /** Something at `path` or below may have a mask by name: false lets whole branches pass unread. */
  mayMaskBelow(path: FieldPath): boolean;
  /** For text under no mask by name: content detectors. The same string comes back where there is nothing. */
  readonly detect: ((text: string) => string) | undefined;
}

/** With what a caller of a store without sessions comes. Never recorded, never logged. */
export interface StoreCredential {
  /** Where the product's credential holds one (Basic, `user:password`). */
  readonly user: string | undefined;
  readonly secret: string;
}

/** The store's own credential, which the gateway adds. Never recorded, never logged. */
export interface StoreLogin {
  readonly user: string | undefined;
  /** Empty: the store asks for none; the caller's own goes out and nothing comes in. */
  readonly secret: string;
}

/** Why a request is refused; the product gives it the form that its clients show. */
export interface StoreRefusal {
  readonly kind: /** No credential, or a wrong one. */
    | 'unauthenticated'
    /** A rule, a mask, or a route that the table does not name. */
    | 'forbidden'
    /** The request cannot be read. */
    | 'unreadable'
    | 'too-large'
    | 'too-many'
    /** Weir or the store cannot go on: unrecordable, unreachable, shut down. */
    | 'unavailable';
  /** The rule that said no; undefined where Weir itself cannot go on. */
  readonly rule: string | undefined;
  /** One sentence for people, no values of records in it. */
  readonly message: string;
}
