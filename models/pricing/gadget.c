#include "models/pricing/gadget.h"

#include <stdlib.h>

#include "models/common/rng.h"

/* ---- formulas ---- */

static int variable_of(int literal) { return abs(literal) - 1; }
static bool literal_true(int literal, uint64_t assignment) {
  return (assignment >> variable_of(literal) & 1) == (literal > 0);
}

/* One more literal of the clause: of a variable that is not in it and has appearances left. */
static bool draw_literal(uint64_t seed, uint64_t *next, int variables, int *left, int clause[3], int at) {
  int open[WAL_FORMULA_VARIABLES], count = 0;
  for (int v = 0; v < variables; v++) {
    bool free = left[v] > 0;
    for (int l = 0; l < at; l++) free = free && variable_of(clause[l]) != v;
    if (free) open[count++] = v;
  }
  if (!count) return false;
  const int v = open[wal_rng_below(seed, WAL_STREAM_INSTANCES, (*next)++, (uint64_t)count)];
  const bool negative = wal_rng_below(seed, WAL_STREAM_INSTANCES, (*next)++, 2);
  clause[at] = negative ? -(v + 1) : v + 1;
  left[v]--;
  return true;
}

wal_status wal_formula_draw(uint64_t seed, int64_t k, int variables, int clauses, wal_formula *out) {
  int left[WAL_FORMULA_VARIABLES];
  *out = (wal_formula){.variables = variables};
  if (variables < 1 || variables > WAL_FORMULA_VARIABLES || clauses < 0)
    return wal_fail(WAL_E_INPUT, "%d variables and %d clauses; variables: 1 to %d, clauses: 0 or more",
                    variables, clauses, WAL_FORMULA_VARIABLES);
  out->clause = calloc((size_t)clauses + 1, sizeof *out->clause);
  if (!out->clause) return wal_fail(WAL_E_MEMORY, "no memory for %d clauses", clauses);
  uint64_t next = (uint64_t)k << 16;
  for (int v = 0; v < variables; v++) left[v] = 3;
  for (int c = 0; c < clauses; c++) {
    const int length = 1 + (int)wal_rng_below(seed, WAL_STREAM_INSTANCES, next++, 3);
    for (int l = 0; l < length; l++)
      if (!draw_literal(seed, &next, variables, left, out->clause[c], l)) break;
    if (!out->clause[c][0]) break;
    out->clauses++;
  }
  return WAL_OK;
}

void wal_formula_destroy(wal_formula *formula) {
  if (formula) free(formula->clause), *formula = (wal_formula){0};
}

/* A true literal of the clause, -1: none. */
static int true_literal(const int clause[3], uint64_t assignment) {
  for (int l = 0; l < 3 && clause[l]; l++)
    if (literal_true(clause[l], assignment)) return l;
  return -1;
}

int wal_formula_satisfied(const wal_formula *formula, uint64_t assignment) {
  int satisfied = 0;
  for (int c = 0; c < formula->clauses; c++) satisfied += true_literal(formula->clause[c], assignment) >= 0;
  return satisfied;
}

int wal_formula_most(const wal_formula *formula) {
  int most = 0;
  for (uint64_t a = 0; a < 1ULL << formula->variables; a++) {
    const int satisfied = wal_formula_satisfied(formula, a);
    if (satisfied > most) most = satisfied;
  }
  return most;
}

/* ---- the market ---- */

int wal_gadget_base(const wal_gadget_options *options) { return options->uniform ? 36 : 37; }

static int buyers_of(const wal_formula *f) { return WAL_GADGET_BUYERS * f->variables + f->clauses; }
static int clause_buyer(const wal_formula *f, int c) { return WAL_GADGET_BUYERS * f->variables + c; }
static int literal_buyer(int v, int sign) { return WAL_GADGET_BUYERS * v + 1 + sign; }
static int item(int v, int place) { return WAL_GADGET_ITEMS * v + place; }

/* The item of appearance l of clause c: the k-th of its literal. */
static int clause_item(const wal_formula *f, int c, int l) {
  const int literal = f->clause[c][l];
  int k = 0;
  for (int other = 0; other <= c; other++)
    for (int at = 0; at < 3 && (other < c || at < l); at++) k += f->clause[other][at] == literal;
  return item(variable_of(literal), WAL_GADGET_CLAUSE + (literal < 0 ? 3 : 0) + k);
}

static void offer(wal_pricing_market *market, int i, int j, double price, double value) {
  const size_t pair = (size_t)i * (size_t)market->m + (size_t)j;
  market->price[pair] = price;
  market->value[pair] = value;
}

/* Table 3. */
static void set_variable(wal_pricing_market *market, const wal_gadget_options *options, int v) {
  const double choice = options->uniform ? 12 : 13;
  market->budget[WAL_GADGET_BUYERS * v] = choice;
  for (int sign = 0; sign < 2; sign++) {
    const int literal = literal_buyer(v, sign);
    market->budget[literal] = 12;
    offer(market, WAL_GADGET_BUYERS * v, item(v, WAL_GADGET_CHOICE + sign), choice, choice);
    offer(market, literal, item(v, WAL_GADGET_CHOICE + sign), 12, options->strict ? 24 : 12);
    for (int k = 0; k < 3; k++) offer(market, literal, item(v, WAL_GADGET_CLAUSE + 3 * sign + k), 2, 2);
    offer(market, literal, item(v, WAL_GADGET_BUFFER + sign), 6, 3);
  }
}

/* Who values the item: choice and literal buyers before clause buyers, and choice buyers before literal ones
   but for the items of true literals where an assignment is implemented. */
static void set_ranks(wal_pricing_market *market, const wal_gadget_options *options, int j) {
  const int v = j / WAL_GADGET_ITEMS, place = j % WAL_GADGET_ITEMS;
  int *rank = market->rank + (size_t)j * (size_t)market->n;
  for (int i = 0; i < market->n; i++) rank[i] = i / WAL_GADGET_BUYERS == v ? 0 : 1;
  if (place >= WAL_GADGET_CLAUSE) return;
  const bool positive = place == WAL_GADGET_CHOICE;
  const bool first = options->implement && (options->assignment >> v & 1) == positive;
  rank[WAL_GADGET_BUYERS * v] = first ? 1 : 0;
  rank[literal_buyer(v, !positive)] = first ? 0 : 1;
}

static wal_status check_formula(const wal_formula *f) {
  for (int v = 0; v < f->variables; v++) {
    int count = 0;
    for (int c = 0; c < f->clauses; c++)
      for (int l = 0; l < 3; l++) count += f->clause[c][l] && variable_of(f->clause[c][l]) == v;
    if (count > 3) return wal_fail(WAL_E_INPUT, "variable %d appears %d times; at most 3 work", v + 1, count);
  }
  return WAL_OK;
}

wal_status wal_gadget_market(const wal_formula *formula, const wal_gadget_options *options, bool exact,
                             wal_pricing_market *out) {
  *out = (wal_pricing_market){0};
  wal_status status = check_formula(formula);
  if (status == WAL_OK)
    status = wal_pricing_market_create(buyers_of(formula), WAL_GADGET_ITEMS * formula->variables, out);
  if (status != WAL_OK) return status;
  for (int v = 0; v < formula->variables; v++) set_variable(out, options, v);
  for (int c = 0; c < formula->clauses; c++) {
    const int i = clause_buyer(formula, c);
    out->budget[i] = 1;
    for (int l = 0; l < 3 && formula->clause[c][l]; l++)
      offer(out, i, clause_item(formula, c, l), options->uniform ? 2 : 1, options->uniform ? 2 : 1);
  }
  for (int j = 0; options->uniform && j < out->m; j++) set_ranks(out, options, j);
  if (!options->uniform) status = wal_pricing_natural(out);
  if (status == WAL_OK && exact) status = wal_pricing_lift(out);
  if (status != WAL_OK) wal_pricing_market_destroy(out);
  return status;
}

/* ---- assignments and allocations ---- */

/* The true literal's buyer has its choice item; the false one's leaves that to the choice buyer, and has all
   else. */
static void give_variable(wal_pricing_allocation *x, int v, bool value) {
  const int yes = value ? 0 : 1, no = 1 - yes, m = x->m;
  x->x[literal_buyer(v, yes) * m + item(v, WAL_GADGET_CHOICE + yes)] = 1;
  x->x[WAL_GADGET_BUYERS * v * m + item(v, WAL_GADGET_CHOICE + no)] = 1;
  for (int k = 0; k < 3; k++) x->x[literal_buyer(v, no) * m + item(v, WAL_GADGET_CLAUSE + 3 * no + k)] = 1;
  x->x[literal_buyer(v, no) * m + item(v, WAL_GADGET_BUFFER + no)] = 1;
}

void wal_gadget_allocation(const wal_formula *formula, const wal_gadget_options *options, uint64_t assignment,
                           wal_pricing_allocation *out) {
  const int pairs = out->n * out->m;
  for (int e = 0; e < pairs; e++) out->x[e] = 0;
  for (int v = 0; v < formula->variables; v++) give_variable(out, v, assignment >> v & 1);
  for (int c = 0; c < formula->clauses; c++) {
    const int l = true_literal(formula->clause[c], assignment);
    if (l >= 0)
      out->x[clause_buyer(formula, c) * out->m + clause_item(formula, c, l)] = options->uniform ? 0.5 : 1;
  }
  for (int e = 0; out->exact && e < pairs; e++) mpq_set_d(out->exact[e], out->x[e]);
}

uint64_t wal_gadget_assignment(const wal_formula *formula, const double *x) {
  const int m = WAL_GADGET_ITEMS * formula->variables;
  uint64_t assignment = 0;
  for (int v = 0; v < formula->variables; v++)
    if (x[literal_buyer(v, 0) * m + item(v, WAL_GADGET_CHOICE)] > 0.5 + 1e-9) assignment |= 1ULL << v;
  return assignment;
}
