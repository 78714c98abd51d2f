#include "experiments/registry.h"

#include <stddef.h>

static const wal_experiment *const members[] = {
    &wal_marketfcnet_table1,
    &wal_marketfcnet_fig1,
    &wal_marketfcnet_fig2,
    &wal_marketfcnet_fig3,
    &wal_marketfcnet_estimators,
    &wal_marketfcnet_gap_anatomy,
    &wal_marketfcnet_scaling,
    &wal_marketfcnet_width,
    &wal_marketfcnet_amortised,
    &wal_rpfnet_table1,
    &wal_rpfnet_fig1,
    &wal_rpfnet_fig2,
    &wal_rpfnet_fig3,
    &wal_rpfnet_fig4,
    &wal_rpfnet_fig5,
    &wal_rpfnet_table2,
    &wal_rpfnet_scale,
    &wal_rpfnet_attack,
    &wal_rpfnet_pa_demand,
    &wal_rpfnet_scarcity,
    &wal_rpfnet_frontier,
    &wal_rpfnet_generalisation,
    &wal_rpfnet_mismatch,
    &wal_nashwelfare_examples,
    &wal_nashwelfare_a1,
    &wal_nashwelfare_a3,
    &wal_nashwelfare_a4,
    &wal_nashwelfare_a5,
    &wal_nashwelfare_a6,
    &wal_nashwelfare_a7,
    &wal_nashwelfare_a8,
    &wal_nashwelfare_a9,
    &wal_nashwelfare_a10,
    &wal_nashwelfare_scaling,
    &wal_nashwelfare_budget_decrease,
    NULL,
};

wal_registry wal_experiments(void) { return members; }
