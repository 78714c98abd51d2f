/* The one table of experiments: a new figure is a new file, a line here and a row in registry.c. */
#ifndef WAL_EXPERIMENTS_REGISTRY_H
#define WAL_EXPERIMENTS_REGISTRY_H

#include "engine/experiment.h"

extern const wal_experiment wal_marketfcnet_table1;
extern const wal_experiment wal_marketfcnet_fig1;
extern const wal_experiment wal_marketfcnet_fig2;
extern const wal_experiment wal_marketfcnet_fig3;
extern const wal_experiment wal_marketfcnet_estimators;
extern const wal_experiment wal_marketfcnet_gap_anatomy;
extern const wal_experiment wal_marketfcnet_scaling;
extern const wal_experiment wal_marketfcnet_width;
extern const wal_experiment wal_marketfcnet_amortised;
extern const wal_experiment wal_marketfcnet_precision;
extern const wal_experiment wal_rpfnet_table1;
extern const wal_experiment wal_rpfnet_fig1;
extern const wal_experiment wal_rpfnet_fig2;
extern const wal_experiment wal_rpfnet_fig3;
extern const wal_experiment wal_rpfnet_fig4;
extern const wal_experiment wal_rpfnet_fig5;
extern const wal_experiment wal_rpfnet_table2;
extern const wal_experiment wal_rpfnet_scale;
extern const wal_experiment wal_rpfnet_attack;
extern const wal_experiment wal_rpfnet_pa_demand;
extern const wal_experiment wal_rpfnet_scarcity;
extern const wal_experiment wal_rpfnet_frontier;
extern const wal_experiment wal_rpfnet_generalisation;
extern const wal_experiment wal_rpfnet_mismatch;
extern const wal_experiment wal_nashwelfare_examples;
extern const wal_experiment wal_nashwelfare_a1;
extern const wal_experiment wal_nashwelfare_a3;
extern const wal_experiment wal_nashwelfare_a4;
extern const wal_experiment wal_nashwelfare_a5;
extern const wal_experiment wal_nashwelfare_a6;
extern const wal_experiment wal_nashwelfare_a7;
extern const wal_experiment wal_nashwelfare_a8;
extern const wal_experiment wal_nashwelfare_a9;
extern const wal_experiment wal_nashwelfare_a10;
extern const wal_experiment wal_nashwelfare_scaling;
extern const wal_experiment wal_nashwelfare_budget_decrease;
extern const wal_experiment wal_nashwelfare_poa;
extern const wal_experiment wal_nashwelfare_demand_approx;
extern const wal_experiment wal_nashwelfare_half_utility;
extern const wal_experiment wal_nashwelfare_gale_prices;

extern const wal_experiment wal_nashwelfare_substitutes;
extern const wal_experiment wal_pricecompetition_gadget;
extern const wal_experiment wal_pricecompetition_theorem1;
extern const wal_experiment wal_pricecompetition_theorem2;
extern const wal_experiment wal_pricecompetition_theorem5;
extern const wal_experiment wal_pricecompetition_theorem8;
extern const wal_experiment wal_pricecompetition_scaling;
extern const wal_experiment wal_pricecompetition_example2;
extern const wal_experiment wal_pricecompetition_propositions;
extern const wal_experiment wal_pricecompetition_theorem3;
extern const wal_experiment wal_pricecompetition_lemma4;
extern const wal_experiment wal_pricecompetition_d5;
extern const wal_experiment wal_pricecompetition_theorem7;
extern const wal_experiment wal_pricecompetition_tables;
extern const wal_experiment wal_pricecompetition_example1;

wal_registry wal_experiments(void);

#endif
