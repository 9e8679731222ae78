/**
 * The sample shop's tables, view and functions, as SQL text for PostgreSQL. Rows are not here:
 * `sample-data.ts` makes them up.
 */

/** Run once, in an empty database, by the role that shall own everything. */
export const SAMPLE_SCHEMA = `
CREATE TABLE public.customers (
  id            integer PRIMARY KEY,
  full_name     text NOT NULL,
  email         text NOT NULL UNIQUE,
  phone         text NOT NULL,
  national_id   text NOT NULL UNIQUE,
  date_of_birth date NOT NULL,
  address       text NOT NULL,
  created_at    timestamptz NOT NULL
);
COMMENT ON TABLE  public.customers IS 'People who have ordered at least once or opened an account';
COMMENT ON COLUMN public.customers.email IS 'Personal data: used to sign in and for receipts';
COMMENT ON COLUMN public.customers.phone IS 'Personal data: for the courier';
COMMENT ON COLUMN public.customers.national_id IS 'Personal data: demanded by law for invoices over 1000';

CREATE TABLE public.products (
  id       integer PRIMARY KEY,
  sku      text NOT NULL UNIQUE,
  name     text NOT NULL,
  category text NOT NULL,
  price    numeric(10,2) NOT NULL CHECK (price > 0),
  stock    integer NOT NULL CHECK (stock >= 0)
);
COMMENT ON TABLE public.products IS 'What the shop sells; prices with tax';

CREATE TABLE public.orders (
  id          integer PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES public.customers (id),
  status      text NOT NULL CHECK (status IN ('placed', 'paid', 'shipped', 'delivered', 'cancelled')),
  placed_at   timestamptz NOT NULL
);
COMMENT ON TABLE public.orders IS 'One row for each checkout';
CREATE INDEX orders_customer_id_idx ON public.orders (customer_id);
CREATE INDEX orders_placed_at_idx ON public.orders (placed_at);

CREATE TABLE public.order_items (
  order_id   integer NOT NULL REFERENCES public.orders (id),
  line       integer NOT NULL,
  product_id integer NOT NULL REFERENCES public.products (id),
  quantity   integer NOT NULL CHECK (quantity > 0),
  unit_price numeric(10,2) NOT NULL,
  PRIMARY KEY (order_id, line)
);
COMMENT ON TABLE  public.order_items IS 'The lines of an order';
COMMENT ON COLUMN public.order_items.unit_price IS 'The price on the day of the order, which may differ from today''s';

CREATE TABLE public.payments (
  id          integer PRIMARY KEY,
  order_id    integer NOT NULL REFERENCES public.orders (id),
  card_holder text NOT NULL,
  card_number text NOT NULL,
  card_expiry text NOT NULL,
  amount      numeric(10,2) NOT NULL CHECK (amount >= 0),
  status      text NOT NULL CHECK (status IN ('captured', 'refunded', 'declined')),
  paid_at     timestamptz NOT NULL
);
COMMENT ON TABLE  public.payments IS 'Card payments; an order can have several when a card was declined';
COMMENT ON COLUMN public.payments.card_number IS 'Personal data: should never have been stored in full';
CREATE INDEX payments_order_id_idx ON public.payments (order_id);

CREATE VIEW public.customer_contacts AS
  SELECT id, full_name, email, phone FROM public.customers;
COMMENT ON VIEW public.customer_contacts IS 'What the newsletter tool reads';

CREATE FUNCTION public.order_total(wanted_order_id integer) RETURNS numeric
  LANGUAGE sql STABLE
  AS $$ SELECT coalesce(sum(quantity * unit_price), 0) FROM public.order_items WHERE order_id = wanted_order_id $$;
COMMENT ON FUNCTION public.order_total(integer) IS 'What an order costs, with tax';

CREATE FUNCTION public.top_customers(row_count integer DEFAULT 10)
  RETURNS TABLE (customer_id integer, full_name text, spent numeric)
  LANGUAGE sql STABLE
  AS $$
    SELECT c.id, c.full_name, sum(i.quantity * i.unit_price)
    FROM public.customers c
    JOIN public.orders o ON o.customer_id = c.id AND o.status <> 'cancelled'
    JOIN public.order_items i ON i.order_id = o.id
    GROUP BY c.id, c.full_name
    ORDER BY 3 DESC, 1
    LIMIT row_count
  $$;
COMMENT ON FUNCTION public.top_customers(integer) IS 'The customers who spent most';

CREATE FUNCTION public.cancel_order(wanted_order_id integer) RETURNS boolean
  LANGUAGE plpgsql
  AS $$
  BEGIN
    UPDATE public.orders SET status = 'cancelled'
    WHERE id = wanted_order_id AND status IN ('placed', 'paid');
    RETURN FOUND;
  END
  $$;
COMMENT ON FUNCTION public.cancel_order(integer) IS 'Cancels an order that has not left the house; true if it did';

CREATE FUNCTION public.forget_customer(wanted_customer_id integer) RETURNS integer
  LANGUAGE plpgsql
  AS $$
  DECLARE
    deleted integer;
  BEGIN
    DELETE FROM public.payments p USING public.orders o
    WHERE p.order_id = o.id AND o.customer_id = wanted_customer_id;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
  END
  $$;
COMMENT ON FUNCTION public.forget_customer(integer) IS 'Deletes the card data of one customer; returns the number of rows';
`;
