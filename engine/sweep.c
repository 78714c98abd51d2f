#include "engine/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checksum.h"
#include "engine/params.h"

static wal_status no_memory(void) { return wal_fail(WAL_E_MEMORY, "no memory for the points of the sweep"); }

static void factor_free(wal_factor *factor) {
  for (int i = 0; i < factor->count; i++) wal_assignment_free(&factor->entries[i]);
  free(factor->entries);
  *factor = (wal_factor){0};
}

static void block_free(wal_block *block) {
  for (int i = 0; i < block->factor_count; i++) factor_free(&block->factors[i]);
  for (int i = 0; i < block->exclude_count; i++) wal_assignment_free(&block->exclude[i]);
  free(block->factors);
  free(block->exclude);
  *block = (wal_block){0};
}

void wal_sweep_free(wal_sweep *sweep) {
  for (int i = 0; i < sweep->block_count; i++) block_free(&sweep->blocks[i]);
  free(sweep->blocks);
  *sweep = (wal_sweep){0};
}

/* Appends a factor and hands it over, also on failure. */
static wal_status block_append(wal_block *block, wal_factor *factor) {
  wal_factor *factors = realloc(block->factors, ((size_t)block->factor_count + 1) * sizeof *factors);
  if (!factors) {
    factor_free(factor);
    return no_memory();
  }
  block->factors = factors;
  factors[block->factor_count++] = *factor;
  *factor = (wal_factor){0};
  return WAL_OK;
}

/* Axes of equal length side by side. */
static wal_status zip_axes(const wal_axis *axes, int axis_count, wal_factor *out) {
  *out = (wal_factor){0};
  int count = axis_count ? axes[0].count : 0;
  out->entries = calloc((size_t)count + 1, sizeof *out->entries);
  if (!out->entries) return no_memory();
  out->count = count;
  for (int i = 0; i < count; i++) {
    for (int a = 0; a < axis_count; a++) {
      if (wal_assignment_add(&out->entries[i], axes[a].param, &axes[a].values[i])) continue;
      factor_free(out);
      return no_memory();
    }
  }
  return WAL_OK;
}

/* ---- Reading one mapping ---- */

typedef struct {
  const wal_reader *reader;
  wal_block *block;
  const char **taken; /* [param_count] which of grid, zip, list, random sets it already; NULL: none */
  const char *part;   /* the one being read */
  wal_axis *axes;     /* [param_count] zip and random: axes met so far */
  int axis_count;
  int draws; /* random: how many */
  uint64_t seed;
} block_reader;

static wal_status take(block_reader *in, int param, const wal_node *node) {
  if (in->taken[param] && in->taken[param] != in->part) {
    return wal_node_fail(in->reader->yaml, node, "%s is swept by %s and by %s of one mapping; keep one",
                         in->reader->experiment->params[param].name, in->taken[param], in->part);
  }
  in->taken[param] = in->part;
  return WAL_OK;
}

static wal_status read_grid_axis(void *context, int param, const wal_node *node) {
  block_reader *in = context;
  wal_status status = take(in, param, node);
  if (status != WAL_OK) return status;
  wal_axis axis;
  wal_factor factor;
  status = wal_axis_read(in->reader, param, node, &axis);
  if (status != WAL_OK) return status;
  status = zip_axes(&axis, 1, &factor);
  wal_axis_free(&axis);
  return status == WAL_OK ? block_append(in->block, &factor) : status;
}

static wal_status read_grid(block_reader *in, const wal_node *node) {
  return wal_read_params(in->reader, node, "grid", read_grid_axis, in);
}

static wal_status read_zip_axis(void *context, int param, const wal_node *node) {
  block_reader *in = context;
  wal_status status = take(in, param, node);
  if (status != WAL_OK) return status;
  wal_axis *axis = &in->axes[in->axis_count];
  status = wal_axis_read(in->reader, param, node, axis);
  if (status != WAL_OK) return status;
  in->axis_count++;
  const wal_param *params = in->reader->experiment->params;
  if (axis->count == in->axes[0].count) return WAL_OK;
  return wal_node_fail(in->reader->yaml, node,
                       "zip goes side by side, but %s has %d values and %s has %d; make them equal",
                       params[in->axes[0].param].name, in->axes[0].count, params[param].name, axis->count);
}

/* Joins the axes met into one factor. */
static wal_status append_axes(block_reader *in) {
  wal_factor factor;
  wal_status status = in->axis_count ? zip_axes(in->axes, in->axis_count, &factor) : WAL_OK;
  if (status == WAL_OK && in->axis_count) status = block_append(in->block, &factor);
  return status;
}

static void forget_axes(block_reader *in) {
  for (int i = 0; i < in->axis_count; i++) wal_axis_free(&in->axes[i]);
  in->axis_count = 0;
}

static wal_status read_zip(block_reader *in, const wal_node *node) {
  wal_status status = wal_read_params(in->reader, node, "zip", read_zip_axis, in);
  if (status == WAL_OK) status = append_axes(in);
  forget_axes(in);
  return status;
}

/* Reads a list of mappings of parameters to values (`list` and `exclude`). */
static wal_status read_assignments(const wal_reader *reader, const wal_node *node, const char *what,
                                   wal_assignment **out, int *count) {
  wal_status status = wal_expect(reader, node, WAL_NODE_LIST, what, "[{seed: 1}, {seed: 2}]");
  if (status != WAL_OK) return status;
  if (node->count == 0) {
    return wal_node_fail(reader->yaml, node,
                         "%s has no entries; expected some ([{seed: 1}, {seed: 2}] for example)", what);
  }
  *out = calloc((size_t)node->count, sizeof **out);
  if (!*out) return no_memory();
  for (; status == WAL_OK && *count < node->count; ++*count) {
    status = wal_read_assignment(reader, node->items[*count], what, &(*out)[*count]);
  }
  return status;
}

static wal_status read_list(block_reader *in, const wal_node *node) {
  wal_factor factor = {0};
  wal_status status = read_assignments(in->reader, node, "list", &factor.entries, &factor.count);
  for (int i = 0; status == WAL_OK && i < factor.count; i++) {
    for (int k = 0; status == WAL_OK && k < factor.entries[i].count; k++) {
      status = take(in, factor.entries[i].param[k], node->items[i]);
    }
  }
  if (status == WAL_OK) return block_append(in->block, &factor);
  factor_free(&factor);
  return status;
}

/* Axis a draws elements a 2^32, a 2^32 + 1, ...: more draws or axes leave the earlier ones alone. */
static wal_status read_draw(void *context, int param, const wal_node *node) {
  block_reader *in = context;
  wal_status status = take(in, param, node);
  if (status != WAL_OK) return status;
  uint64_t first = (uint64_t)in->axis_count << 32;
  status = wal_axis_draw(in->reader, param, node, in->draws, in->seed, first, &in->axes[in->axis_count]);
  if (status == WAL_OK) in->axis_count++;
  return status;
}

static wal_status read_random(block_reader *in, const wal_node *node) {
  static const char *const keys[] = {"count", "seed", "draw"};
  const char *example = "{count: 20, seed: 1, draw: {alpha: {from: 0, to: 1}}}";
  wal_status status = wal_expect_keys(in->reader, node, "random", example, keys, 3);
  if (status != WAL_OK) return status;
  const wal_node *count_node = wal_node_get(node, "count"), *seed_node = wal_node_get(node, "seed");
  const wal_node *draw_node = wal_node_get(node, "draw");
  if (!count_node || !draw_node) {
    return wal_node_fail(in->reader->yaml, node, "random has no \"%s\"; expected %s",
                         count_node ? "draw" : "count", example);
  }
  int64_t count = 0, seed = 1;
  status = wal_read_int(in->reader, count_node, "count", 1, WAL_POINTS_MAX, &count);
  if (status == WAL_OK && seed_node)
    status = wal_read_int(in->reader, seed_node, "seed", 0, INT64_MAX, &seed);
  if (status != WAL_OK) return status;
  in->draws = (int)count;
  in->seed = (uint64_t)seed;
  status = wal_read_params(in->reader, draw_node, "draw", read_draw, in);
  if (status == WAL_OK) status = append_axes(in);
  forget_axes(in);
  return status;
}

/* In the order in which the parts multiply, whatever the order in the file. */
static wal_status read_parts(block_reader *in, const wal_node *map) {
  static const struct {
    const char *name;
    wal_status (*read)(block_reader *in, const wal_node *node);
  } parts[] = {{"grid", read_grid}, {"zip", read_zip}, {"list", read_list}, {"random", read_random}};
  wal_status status = WAL_OK;
  for (size_t i = 0; status == WAL_OK && i < sizeof parts / sizeof *parts; i++) {
    const wal_node *node = wal_node_get(map, parts[i].name);
    in->part = parts[i].name;
    if (node) status = parts[i].read(in, node);
  }
  const wal_node *exclude = wal_node_get(map, "exclude");
  if (status != WAL_OK || !exclude) return status;
  return read_assignments(in->reader, exclude, "exclude", &in->block->exclude, &in->block->exclude_count);
}

static wal_status read_block(const wal_reader *reader, const wal_node *map, wal_block *out) {
  static const char *const keys[] = {"grid", "zip", "list", "random", "exclude"};
  wal_status status = wal_expect_keys(reader, map, "sweep", "{grid: {seed: [1, 2, 3]}}", keys, 5);
  if (status != WAL_OK) return status;
  size_t params = (size_t)reader->experiment->param_count + 1;
  block_reader in = {.reader = reader, .block = out};
  in.taken = calloc(params, sizeof *in.taken);
  in.axes = calloc(params, sizeof *in.axes);
  status = in.taken && in.axes ? read_parts(&in, map) : no_memory();
  free(in.taken);
  free(in.axes);
  return status;
}

wal_status wal_sweep_read(const wal_reader *reader, const wal_node *node, wal_sweep *out) {
  *out = (wal_sweep){0};
  bool list = node && node->kind == WAL_NODE_LIST;
  if (list && node->count == 0) {
    return wal_node_fail(reader->yaml, node,
                         "sweep is an empty list; expected {grid: {seed: [1, 2, 3]}} or no such line");
  }
  int count = list ? node->count : 1;
  out->blocks = calloc((size_t)count, sizeof *out->blocks);
  if (!out->blocks) return no_memory();
  out->block_count = count;
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && node && i < count; i++) {
    status = read_block(reader, list ? node->items[i] : node, &out->blocks[i]);
  }
  if (status != WAL_OK) wal_sweep_free(out);
  return status;
}

/* ---- --set ---- */

/* Removes the parameter from a factor; does the factor set nothing any more? */
static bool factor_drop(wal_factor *factor, int param) {
  bool empty = true;
  for (int i = 0; i < factor->count; i++) {
    wal_assignment_drop(&factor->entries[i], param);
    empty = empty && factor->entries[i].count == 0;
  }
  return empty;
}

static wal_status block_set(wal_block *block, const wal_axis *axis) {
  bool placed = axis->count == 1; /* a constant needs no place */
  int kept = 0;
  wal_status status = WAL_OK;
  for (int f = 0; f < block->factor_count; f++) {
    wal_factor *factor = &block->factors[f];
    if (factor_drop(factor, axis->param)) {
      factor_free(factor);
      if (placed || status != WAL_OK) continue;
      status = zip_axes(axis, 1, factor);
      placed = true;
      if (status != WAL_OK) continue;
    }
    block->factors[kept++] = *factor;
  }
  block->factor_count = kept;
  if (placed || status != WAL_OK) return status;
  wal_factor factor;
  status = zip_axes(axis, 1, &factor);
  return status == WAL_OK ? block_append(block, &factor) : status;
}

wal_status wal_sweep_set(wal_sweep *sweep, const wal_axis *axis) {
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i < sweep->block_count; i++)
    status = block_set(&sweep->blocks[i], axis);
  return status;
}

/* ---- Expanding ---- */

void wal_points_free(wal_point *points, int count) {
  for (int i = 0; points && i < count; i++) free(points[i].values);
  free(points);
}

/* The points must also fit the memory of a small machine; a value takes 264 bytes. */
static double points_limit(const wal_experiment *experiment) {
  const double bytes_max = 3.0 * 1024 * 1024 * 1024;
  double fit = floor(bytes_max / ((double)experiment->param_count * sizeof(wal_value)));
  return fit < WAL_POINTS_MAX ? fit : WAL_POINTS_MAX;
}

/* As a double, since the product may leave 64 bits. */
static double block_size(const wal_block *block) {
  double size = 1;
  for (int f = 0; f < block->factor_count; f++) size *= block->factors[f].count;
  return size;
}

/* Sets the values of position `index` of the block: the index in mixed radix, last factor first. */
static void block_values(const wal_block *block, int64_t index, wal_value *values) {
  for (int f = block->factor_count - 1; f >= 0; f--) {
    const wal_factor *factor = &block->factors[f];
    const wal_assignment *entry = &factor->entries[index % factor->count];
    index /= factor->count;
    for (int i = 0; i < entry->count; i++) values[entry->param[i]] = entry->value[i];
  }
}

static bool excluded(const wal_block *block, const wal_point *point) {
  for (int i = 0; i < block->exclude_count; i++) {
    if (wal_assignment_holds(&block->exclude[i], point)) return true;
  }
  return false;
}

/* Appends the points of a block to points[*count ..]. */
static wal_status expand_block(const wal_block *block, const wal_experiment *experiment,
                               const wal_value *base, wal_point *points, int *count) {
  size_t bytes = (size_t)experiment->param_count * sizeof *base;
  int64_t size = (int64_t)block_size(block);
  for (int64_t i = 0; i < size; i++) {
    wal_point point = {.experiment = experiment, .values = malloc(bytes + 1)};
    if (!point.values) return no_memory();
    memcpy(point.values, base, bytes);
    block_values(block, i, point.values);
    if (excluded(block, &point)) {
      free(point.values);
    } else {
      points[(*count)++] = point;
    }
  }
  return WAL_OK;
}

typedef struct {
  char hash[33];
  int index;
} hashed;

static int compare_hashed(const void *a, const void *b) {
  const hashed *left = a, *right = b;
  int order = strcmp(left->hash, right->hash);
  return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

/* Of the points with the same settings the first stays. */
static wal_status remove_duplicates(wal_point *points, int *count) {
  hashed *sorted = calloc((size_t)*count + 1, sizeof *sorted);
  if (!sorted) return no_memory();
  for (int i = 0; i < *count; i++) {
    char *settings = wal_point_settings(&points[i]);
    if (!settings) {
      free(sorted);
      return no_memory();
    }
    sorted[i].index = i;
    wal_text_hash(settings, sorted[i].hash);
    free(settings);
  }
  qsort(sorted, (size_t)*count, sizeof *sorted, compare_hashed);
  for (int i = 1; i < *count; i++) {
    if (strcmp(sorted[i].hash, sorted[i - 1].hash) != 0) continue;
    free(points[sorted[i].index].values);
    points[sorted[i].index].values = NULL;
  }
  int kept = 0;
  for (int i = 0; i < *count; i++) {
    if (points[i].values) points[kept++] = points[i];
  }
  free(sorted);
  *count = kept;
  return WAL_OK;
}

wal_status wal_sweep_expand(const wal_sweep *sweep, const wal_experiment *experiment, const wal_value *base,
                            wal_point **points, int *count) {
  *points = NULL;
  *count = 0;
  double total = 0;
  for (int i = 0; i < sweep->block_count; i++) total += block_size(&sweep->blocks[i]);
  double limit = points_limit(experiment);
  if (total > limit) {
    return wal_fail(
        WAL_E_INPUT,
        "the sweep has %.15g points; the limit is %.15g (random: {count: 1000, draw: ...} draws some)", total,
        limit);
  }
  wal_point *all = calloc((size_t)total + 1, sizeof *all);
  if (!all) return no_memory();
  int n = 0;
  wal_status status = WAL_OK;
  for (int i = 0; status == WAL_OK && i < sweep->block_count; i++) {
    status = expand_block(&sweep->blocks[i], experiment, base, all, &n);
  }
  if (status == WAL_OK && n == 0)
    status = wal_fail(WAL_E_INPUT, "exclude leaves no point; expected at least one");
  if (status == WAL_OK) status = remove_duplicates(all, &n);
  if (status != WAL_OK) {
    wal_points_free(all, n);
    return status;
  }
  *points = all;
  *count = n;
  return WAL_OK;
}
