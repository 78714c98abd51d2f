/* The values of one axis: written out, as a range, or drawn. */
#include "engine/sweep_axis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/params.h"
#include "models/common/rng.h"

void wal_axis_free(wal_axis *axis) {
  free(axis->values);
  *axis = (wal_axis){0};
}

bool wal_axis_add(wal_axis *axis, const wal_value *value) {
  if ((axis->count & (axis->count - 1)) == 0) { /* full at 0, 1, 2, 4, 8... */
    size_t capacity = axis->count ? 2 * (size_t)axis->count : 1;
    wal_value *values = realloc(axis->values, capacity * sizeof *values);
    if (!values) return false;
    axis->values = values;
  }
  axis->values[axis->count++] = *value;
  return true;
}

/* ---- Ranges: {from, to, steps, scale} ---- */

typedef enum { LINEAR, LOG, POW2 } scale;

typedef struct {
  double from, to;
  scale scale;
} range;

static wal_status read_scale(const wal_reader *reader, const wal_node *node, scale *out) {
  static const char *const names[] = {"linear", "log", "pow2"};
  *out = LINEAR;
  if (!node) return WAL_OK;
  wal_status status = wal_expect(reader, node, WAL_NODE_SCALAR, "scale", "log");
  if (status != WAL_OK) return status;
  for (int i = 0; i < 3; i++) {
    *out = (scale)i;
    if (strcmp(node->text, names[i]) == 0) return WAL_OK;
  }
  return wal_fail_at(reader, node, wal_fail_unknown("scale", node->text, "a range", names, 3));
}

static wal_status read_end(const wal_reader *reader, const wal_node *map, const char *key, int param,
                           double *out) {
  const wal_node *node = wal_node_get(map, key);
  const wal_param *as = &reader->experiment->params[param];
  if (!node) {
    return wal_node_fail(reader->yaml, map,
                         "the range of %s has no \"%s\"; expected {from: 1, to: 8, steps: 4}", as->name, key);
  }
  wal_value value;
  wal_status status = wal_read_value(reader, param, node, &value);
  if (status != WAL_OK) return status;
  *out = as->type == WAL_INT ? (double)value.i : value.r;
  const double exact = 9007199254740992.0; /* 2^53: from here on doubles skip integers */
  if (as->type == WAL_INT ? fabs(*out) <= exact : isfinite(*out)) return WAL_OK;
  return wal_node_fail(reader->yaml, node, "a range of %s cannot end there; expected a %s", as->name,
                       as->type == WAL_INT ? "number of at most 2^53" : "finite number");
}

static bool is_power_of_two(double x) {
  int exponent;
  return x > 0 && frexp(x, &exponent) == 0.5;
}

static wal_status check_scale(const wal_reader *reader, const wal_node *node, const char *name,
                              const range *r) {
  if (r->scale == LOG && !(r->from > 0 && r->to > 0)) {
    return wal_node_fail(reader->yaml, node,
                         "a log range of %s needs \"from\" and \"to\" above 0 (scale: linear takes any)",
                         name);
  }
  if (r->scale == POW2 && !(is_power_of_two(r->from) && is_power_of_two(r->to) && r->from <= r->to)) {
    return wal_node_fail(
        reader->yaml, node,
        "a pow2 range of %s goes up from one power of two to another, such as from: 2^10, to: 2^20", name);
  }
  return WAL_OK;
}

static wal_status read_range(const wal_reader *reader, const wal_node *node, int param, range *out) {
  const wal_param *as = &reader->experiment->params[param];
  if (as->type != WAL_INT && as->type != WAL_REAL) {
    return wal_node_fail(reader->yaml, node,
                         "%s is no number and takes no range; expected a list ([%s] for example)", as->name,
                         as->standard);
  }
  wal_status status = read_end(reader, node, "from", param, &out->from);
  if (status == WAL_OK) status = read_end(reader, node, "to", param, &out->to);
  if (status == WAL_OK) status = read_scale(reader, wal_node_get(node, "scale"), &out->scale);
  return status == WAL_OK ? check_scale(reader, node, as->name, out) : status;
}

/* Twelve significant digits: 0.1 rather than 0.10000000000000002, and the last bit of pow() never matters. */
static double rounded(double x) {
  char text[32];
  snprintf(text, sizeof text, "%.12g", x);
  return strtod(text, NULL);
}

/* The value a share t in [0, 1] of the way along a range; rounding never leaves the range. */
static double along(const range *r, double t) {
  if (t == 0) return r->from;
  if (t == 1) return r->to;
  double value = r->scale == LOG ? r->from * pow(r->to / r->from, t) : (1 - t) * r->from + t * r->to;
  return fmin(fmax(rounded(value), fmin(r->from, r->to)), fmax(r->from, r->to));
}

static bool add_number(wal_axis *axis, wal_type type, double number) {
  wal_value value = {.type = type};
  if (type == WAL_INT) {
    value.i = llround(number);
  } else {
    value.r = number;
  }
  return wal_axis_add(axis, &value);
}

static wal_status no_memory(void) { return wal_fail(WAL_E_MEMORY, "no memory for the values of the sweep"); }

static wal_status read_steps(const wal_reader *reader, const wal_node *node, const range *r, int64_t *steps) {
  const wal_node *given = wal_node_get(node, "steps");
  if (r->scale == POW2) {
    *steps = ilogb(r->to) - ilogb(r->from) + 1;
    if (!given) return WAL_OK;
    return wal_node_fail(reader->yaml, given,
                         "a pow2 range takes every power of two and no \"steps\"; leave it out");
  }
  if (!given)
    return wal_node_fail(reader->yaml, node,
                         "the range has no \"steps\"; expected {from: 1, to: 8, steps: 4}");
  return wal_read_int(reader, given, "steps", 2, WAL_POINTS_MAX, steps);
}

static wal_status range_axis(const wal_reader *reader, const wal_node *node, wal_axis *axis) {
  static const char *const keys[] = {"from", "to", "steps", "scale"};
  range r;
  int64_t steps;
  wal_status status = wal_expect_keys(reader, node, "a range", "{from: 1, to: 8, steps: 4}", keys, 4);
  if (status == WAL_OK) status = read_range(reader, node, axis->param, &r);
  if (status == WAL_OK) status = read_steps(reader, node, &r, &steps);
  if (status != WAL_OK) return status;
  wal_type type = reader->experiment->params[axis->param].type;
  for (int64_t i = 0; i < steps; i++) {
    double number = r.scale == POW2 ? ldexp(r.from, (int)i) : along(&r, (double)i / (double)(steps - 1));
    if (!add_number(axis, type, number)) return no_memory();
  }
  return WAL_OK;
}

static wal_status list_axis(const wal_reader *reader, const wal_node *node, wal_axis *axis) {
  if (node->count == 0) {
    const wal_param *as = &reader->experiment->params[axis->param];
    return wal_node_fail(reader->yaml, node, "the axis %s has no values; expected some ([%s] for example)",
                         as->name, as->standard);
  }
  for (int i = 0; i < node->count; i++) {
    wal_value value;
    wal_status status = wal_read_value(reader, axis->param, node->items[i], &value);
    if (status != WAL_OK) return status;
    if (!wal_axis_add(axis, &value)) return no_memory();
  }
  return WAL_OK;
}

static wal_status expect_values(const wal_reader *reader, const wal_node *node, int param) {
  if (node->kind != WAL_NODE_SCALAR) return WAL_OK;
  const wal_param *as = &reader->experiment->params[param];
  bool number = as->type == WAL_INT || as->type == WAL_REAL;
  return wal_node_fail(reader->yaml, node,
                       "the axis %s is a single value; expected a list ([%s] for example)%s", as->name,
                       as->standard, number ? " or a range ({from: 1, to: 8, steps: 4})" : "");
}

wal_status wal_axis_read(const wal_reader *reader, int param, const wal_node *node, wal_axis *out) {
  *out = (wal_axis){.param = param};
  wal_status status = expect_values(reader, node, param);
  if (status == WAL_OK) {
    status = node->kind == WAL_NODE_LIST ? list_axis(reader, node, out) : range_axis(reader, node, out);
  }
  if (status != WAL_OK) wal_axis_free(out);
  return status;
}

/* ---- Draws: {from, to, scale}, or one of a list ---- */

/* Element `index` of the sweep's stream, in a range. Integers and powers are equally likely. */
static double draw(const range *r, wal_type type, uint64_t seed, uint64_t index) {
  if (r->scale == POW2) {
    uint64_t powers = (uint64_t)(ilogb(r->to) - ilogb(r->from) + 1);
    return ldexp(r->from, (int)wal_rng_below(seed, WAL_STREAM_SWEEP, index, powers));
  }
  if (r->scale == LINEAR && type == WAL_INT) {
    double low = fmin(r->from, r->to), high = fmax(r->from, r->to);
    return low + (double)wal_rng_below(seed, WAL_STREAM_SWEEP, index, (uint64_t)(high - low) + 1);
  }
  return along(r, wal_rng_uniform(seed, WAL_STREAM_SWEEP, index));
}

/* `first` .. `first + count` of the stream, each picking one of the values. */
static wal_status draw_from_list(const wal_axis *from, int count, uint64_t seed, uint64_t first,
                                 wal_axis *out) {
  for (int k = 0; k < count; k++) {
    uint64_t pick = wal_rng_below(seed, WAL_STREAM_SWEEP, first + (uint64_t)k, (uint64_t)from->count);
    if (!wal_axis_add(out, &from->values[pick])) return no_memory();
  }
  return WAL_OK;
}

static wal_status draw_list(const wal_reader *reader, const wal_node *node, int count, uint64_t seed,
                            uint64_t first, wal_axis *out) {
  wal_axis from = {.param = out->param};
  wal_status status = list_axis(reader, node, &from);
  if (status == WAL_OK) status = draw_from_list(&from, count, seed, first, out);
  wal_axis_free(&from);
  return status;
}

static wal_status draw_range(const wal_reader *reader, const wal_node *node, int count, uint64_t seed,
                             uint64_t first, wal_axis *out) {
  static const char *const keys[] = {"from", "to", "scale"};
  range r;
  wal_status status = wal_expect_keys(reader, node, "a draw", "{from: 1, to: 8}", keys, 3);
  if (status == WAL_OK) status = read_range(reader, node, out->param, &r);
  if (status != WAL_OK) return status;
  wal_type type = reader->experiment->params[out->param].type;
  for (int k = 0; k < count; k++) {
    if (!add_number(out, type, draw(&r, type, seed, first + (uint64_t)k))) return no_memory();
  }
  return WAL_OK;
}

wal_status wal_axis_draw(const wal_reader *reader, int param, const wal_node *node, int count, uint64_t seed,
                         uint64_t first, wal_axis *out) {
  *out = (wal_axis){.param = param};
  wal_status status = expect_values(reader, node, param);
  if (status == WAL_OK) {
    status = node->kind == WAL_NODE_LIST ? draw_list(reader, node, count, seed, first, out)
                                         : draw_range(reader, node, count, seed, first, out);
  }
  if (status != WAL_OK) wal_axis_free(out);
  return status;
}
