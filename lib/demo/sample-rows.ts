/**
 * Makes up the sample shop's rows: the same ones on every machine. No row is a person's: names are
 * combined from lists, phone numbers come from the ranges kept for fiction, e-mail addresses from
 * the domains kept for examples, national ids from numbers that are never issued, and card numbers
 * from the ranges that payment providers publish for tests.
 */

export interface SampleRows {
  readonly customers: readonly Readonly<Record<string, string | number>>[];
  readonly products: readonly Readonly<Record<string, string | number>>[];
  readonly orders: readonly Readonly<Record<string, string | number>>[];
  readonly order_items: readonly Readonly<Record<string, string | number>>[];
  readonly payments: readonly Readonly<Record<string, string | number>>[];
}

const CUSTOMER_COUNT = 320;
const ORDER_COUNT = 3000;
const ORDER_LINES_MAX = 4;
const SEED = 0x5eed;

/** Everything happens between these two moments, so that no row depends on today. */
const FIRST_DAY = Date.UTC(2023, 0, 1);
const LAST_DAY = Date.UTC(2025, 5, 30);
const DAY = 86_400_000;

const GIVEN_NAMES =
  'Amara Bruno Celia Dario Elif Farid Greta Hana Ivo Jun Karim Leonie Mateo Nadia Oskar Priya Quentin Rosa Soren Talia Umar Vera Wanda Xenia Yusuf Zoe'.split(
    ' ',
  );
const FAMILY_NAMES =
  'Abbott Bakker Castell Dunmore Eklund Fontaine Galvez Holloway Imai Jansson Kowal Lindqvist Moreau Novak Okafor Petrov Quist Rossi Sandoval Thorne Ueda Varga Whitlock Ximenes Yilmaz Zeller'.split(
    ' ',
  );
const STREETS = 'Alder Birch Canal Dover Elm Foundry Garden Harbour Island Juniper'.split(' ');
const CITIES = [
  ['Riverton', '10118'],
  ['Eastmere', '20245'],
  ['Norwick', '30571'],
  ['Stonebridge', '40662'],
  ['Port Ellis', '50899'],
] as const;
const EMAIL_DOMAINS = ['example.com', 'example.org', 'example.net'] as const;

const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  kitchen: [
    'Cast-iron pan',
    'Bread knife',
    'Espresso cups',
    'Salad spinner',
    'Pepper mill',
    'Stock pot',
  ],
  garden: [
    'Hand trowel',
    'Watering can',
    'Bird feeder',
    'Pruning shears',
    'Rain gauge',
    'Seed tray',
  ],
  office: [
    'Desk lamp',
    'Notebook A5',
    'Fountain pen',
    'Cable tray',
    'Monitor stand',
    'Paper shredder',
  ],
  outdoor: [
    'Trail tent',
    'Head torch',
    'Wool blanket',
    'Camping stove',
    'Dry bag',
    'Folding chair',
  ],
};

/** The starts of published test numbers, with the length of the whole number. */
const TEST_CARDS = [
  ['424242424242', 16],
  ['411111111111', 16],
  ['555555555555', 16],
  ['601111111111', 16],
  ['37828224631', 15],
] as const;

/** Uniform numbers in [0, limit), the same sequence for the same seed (mulberry32). */
type Random = (limit: number) => number;

function createRandom(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

export function makeSampleRows(): SampleRows {
  const random = createRandom(SEED);
  const customers = Array.from({ length: CUSTOMER_COUNT }, (_, index) =>
    makeCustomer(index, random),
  );
  const products = makeProducts(random);
  const orders: Record<string, string | number>[] = [];
  const items: Record<string, string | number>[] = [];
  const payments: Record<string, string | number>[] = [];

  for (let id = 1; id <= ORDER_COUNT; id++) {
    const customer = pick(customers, random);
    const placedAt = FIRST_DAY + Math.floor(((LAST_DAY - FIRST_DAY) * id) / ORDER_COUNT);
    const status = pick(
      ['placed', 'paid', 'shipped', 'delivered', 'delivered', 'delivered', 'cancelled'],
      random,
    );
    orders.push({ id, customer_id: customer.id, status, placed_at: timestamp(placedAt) });
    const lines = makeLines(id, products, random);
    items.push(...lines);
    if (status === 'placed' || status === 'cancelled') continue;

    const cents = lines.reduce(
      (sum, line) => sum + line.quantity * Math.round(line.unit_price * 100),
      0,
    );
    payments.push({
      id: payments.length + 1,
      order_id: id,
      card_holder: customer.full_name.toUpperCase(),
      card_number: makeCardNumber(customer.id),
      card_expiry: `${String(1 + (customer.id % 12)).padStart(2, '0')}/${27 + (customer.id % 4)}`,
      amount: cents / 100,
      status: random(40) === 0 ? 'refunded' : 'captured',
      paid_at: timestamp(placedAt + random(DAY)),
    });
  }
  return { customers, products, orders, order_items: items, payments };
}

function makeCustomer(index: number, random: Random) {
  // Both lists have 26 names, so the pairs do not repeat before 676 customers.
  const given = GIVEN_NAMES[index % GIVEN_NAMES.length] ?? '';
  const family = FAMILY_NAMES[(index + Math.floor(index / 26)) % FAMILY_NAMES.length] ?? '';
  const [city, postcode] = pick(CITIES, random);
  return {
    id: index + 1,
    full_name: `${given} ${family}`,
    email: `${given}.${family}@${pick(EMAIL_DOMAINS, random)}`.toLowerCase(),
    // 555-0100 to 555-0199 is kept for fiction in every area of North America.
    phone: `+1-${202 + (index % 7) * 100}-555-01${String(index % 100).padStart(2, '0')}`,
    // No social security number begins with 9, and 01 to 49 in its middle is no tax number either.
    national_id: `9${String(random(100)).padStart(2, '0')}-${String(1 + random(49)).padStart(2, '0')}-${String(1000 + index * 7)}`,
    date_of_birth: day(Date.UTC(1945, 0, 1) + random(21_900) * DAY),
    address: `${1 + random(180)} ${pick(STREETS, random)} Street, ${postcode} ${city}`,
    created_at: timestamp(FIRST_DAY - random(700) * DAY - random(DAY)),
  };
}

function makeProducts(random: Random) {
  const names = Object.entries(CATEGORIES).flatMap(([category, list]) =>
    list.map((name) => ({ category, name })),
  );
  return names.map(({ category, name }, index) => ({
    id: index + 1,
    sku: `${category.slice(0, 3).toUpperCase()}-${1000 + index * 13}`,
    name,
    category,
    price: (490 + random(160) * 75) / 100,
    stock: random(400),
  }));
}

function makeLines(orderId: number, products: ReturnType<typeof makeProducts>, random: Random) {
  return Array.from({ length: 1 + random(ORDER_LINES_MAX) }, (_, index) => {
    const product = pick(products, random);
    const quantity = 1 + random(3);
    return {
      order_id: orderId,
      line: index + 1,
      product_id: product.id,
      quantity,
      unit_price: product.price,
    };
  });
}

/** One card for each customer, with a valid check digit, so that detectors take it for real. */
function makeCardNumber(customerId: number): string {
  const [start, length] = TEST_CARDS[customerId % TEST_CARDS.length] ?? TEST_CARDS[0];
  const body = start + String(customerId).padStart(length - 1 - start.length, '0');
  return body + luhnDigit(body);
}

/** The check digit of ISO/IEC 7812-1 for the digits before it. */
function luhnDigit(body: string): string {
  let sum = 0;
  for (let index = 0; index < body.length; index++) {
    const digit = Number(body[body.length - 1 - index]);
    const value = index % 2 === 0 ? digit * 2 : digit;
    sum += value > 9 ? value - 9 : value;
  }
  return String((10 - (sum % 10)) % 10);
}

function pick<T>(list: readonly T[], random: Random): T {
  const chosen = list[random(list.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}

function timestamp(time: number): string {
  return new Date(time).toISOString();
}

function day(time: number): string {
  return timestamp(time).slice(0, 10);
}
