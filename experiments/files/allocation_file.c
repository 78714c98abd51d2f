#include "experiments/files/allocation_file.h"

#include <stdlib.h>

#include "engine/h5.h"
#include "experiments/files/texts.h"

/* ---- the numbers ---- */

/* A dataset per row: what it is per instance, and which array of a block it holds. */
typedef enum { PER_PAIR, PER_AGENT, PER_RESOURCE, PER_INSTANCE } extent;
typedef struct {
  const char *name, *unit, *doc;
  extent extent;
  size_t array; /* in wal_allocation_block */
  bool flag;
} layout;

#define ARRAY(field) offsetof(wal_allocation_block, field)
static const layout layouts[WAL_ALLOCATION_SETS] = {
    {"allocation", "1", "a_im: what agent i gets of resource m", PER_PAIR, ARRAY(a), false},
    {"utility", "1", "u_i = sum_m v_im min(a_im, x_im)", PER_AGENT, ARRAY(u), false},
    {"log_nash_welfare", "nats", "sum_i w_i log u_i over the agents that take part", PER_INSTANCE,
     ARRAY(log_welfare), false},
    {"efficiency", "1", "allocated share of the budgets", PER_INSTANCE, ARRAY(efficient), false},
    {"lambda", "1", "multiplier of resource m's budget: its price", PER_RESOURCE, ARRAY(lambda), false},
    {"kkt", "1", "largest residual of the optimality conditions (11), without units", PER_INSTANCE,
     ARRAY(kkt), false},
    {"unique", "1", "1: the only optimal allocation; 0: one of several with the same utilities", PER_INSTANCE,
     ARRAY(unique), true},
    {"exploitability", "1", "utility that agent i gains by the best misreport found", PER_AGENT, ARRAY(gain),
     false},
    {"misreport_values", "1", "the values of agent i's best misreport", PER_PAIR, ARRAY(v), false},
    {"misreport_demands", "1", "the demands of agent i's best misreport", PER_PAIR, ARRAY(x), false},
};

static double **array_of(const wal_allocation_block *block, const layout *l) {
  return (double **)((char *)block + l->array);
}

/* Numbers of one instance. */
static size_t length_of(const wal_instances_file *input, extent of) {
  return (of == PER_PAIR || of == PER_AGENT ? (size_t)input->n : 1) *
         (of == PER_PAIR || of == PER_RESOURCE ? (size_t)input->m : 1);
}

wal_status wal_allocation_block_create(const wal_instances_file *input, int64_t room, bool duals, bool attack,
                                       wal_allocation_block *out) {
  *out = (wal_allocation_block){.welfare = calloc((size_t)room, sizeof(double))};
  bool complete = out->welfare != NULL;
  for (const layout *l = layouts; l < layouts + WAL_ALLOCATION_SETS; l++) {
    const bool dual = l->array == ARRAY(lambda) || l->array == ARRAY(kkt) || l->array == ARRAY(unique);
    const bool lie = l->array == ARRAY(gain) || l->array == ARRAY(v) || l->array == ARRAY(x);
    if ((dual && !duals) || (lie && !attack)) continue;
    double *numbers = calloc((size_t)room * length_of(input, l->extent), sizeof *numbers);
    *array_of(out, l) = numbers;
    complete = complete && numbers;
  }
  if (complete) return WAL_OK;
  wal_allocation_block_destroy(out);
  return wal_fail(WAL_E_MEMORY, "no memory for the allocation of %lld instances", (long long)room);
}

void wal_allocation_block_destroy(wal_allocation_block *block) {
  for (const layout *l = layouts; l < layouts + WAL_ALLOCATION_SETS; l++) free(*array_of(block, l));
  free(block->welfare);
  *block = (wal_allocation_block){0};
}

/* ---- the file ---- */

/* The dataset of a layout: [K, ...], or, of a single instance, without K (kkt [1]). */
static wal_dataset dataset_of(const wal_instances_file *input, const layout *l) {
  wal_dataset set = {.name = l->name, .unit = l->unit, .doc = l->doc, .id = -1, .flag = l->flag};
  if (!input->single || l->extent == PER_INSTANCE) set.size[set.rank++] = (hsize_t)input->count;
  if (l->extent == PER_PAIR || l->extent == PER_AGENT) set.size[set.rank++] = (hsize_t)input->n;
  if (l->extent == PER_PAIR || l->extent == PER_RESOURCE) set.size[set.rank++] = (hsize_t)input->m;
  return set;
}

wal_status wal_allocation_file_create(const wal_instances_file *input, const wal_allocation_block *block,
                                      const char *temporary, wal_allocation_file *out) {
  out->file = -1;
  for (int k = 0; k < WAL_ALLOCATION_SETS; k++) out->sets[k] = dataset_of(input, &layouts[k]);
  wal_status status = wal_h5_create_in_place(temporary, &out->file);
  for (int k = 0; k < WAL_ALLOCATION_SETS && !status; k++)
    if (*array_of(block, &layouts[k])) status = wal_dataset_create(out->file, &out->sets[k]);
  return status;
}

wal_status wal_allocation_file_write(const wal_allocation_file *file, const wal_instances_file *input,
                                     int64_t first, int64_t count, const wal_allocation_block *block) {
  wal_status status = WAL_OK;
  for (int k = 0; k < WAL_ALLOCATION_SETS && !status; k++) {
    const wal_dataset *set = &file->sets[k];
    const bool single = input->single && layouts[k].extent != PER_INSTANCE;
    if (set->id < 0) continue;
    status =
        wal_dataset_write(set, first, single ? (int64_t)set->size[0] : count, *array_of(block, &layouts[k]));
  }
  return status;
}

wal_status wal_allocation_file_end(wal_allocation_file *file, const wal_instances_file *input,
                                   const wal_provenance *texts, const wal_number_attribute numbers[],
                                   int count, wal_status status) {
  if (file->file < 0) return status;
  if (!status) status = wal_attributes_write(file->file, WAL_ALLOCATION_SCHEMA, numbers, count, texts);
  if (!status) status = wal_texts_write(file->file, "agent_names", input->n, input->agent_names);
  if (!status) status = wal_texts_write(file->file, "resource_names", input->m, input->resource_names);
  for (int k = 0; k < WAL_ALLOCATION_SETS && !status; k++) status = wal_dataset_close(&file->sets[k]);
  status = wal_dataset_end(file->file, status);
  file->file = -1;
  return status;
}
