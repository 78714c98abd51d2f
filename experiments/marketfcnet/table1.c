/* MarketFCNet, Table 1: NG, VoA, VoP and time of every method on one market. */
#include "experiments/marketfcnet/market.h"
#include "experiments/registry.h"

const wal_experiment wal_marketfcnet_table1 = {
    .id = "marketfcnet/table1",
    .title = "MarketFCNet against its baselines and the exact equilibrium",
    .paper = WAL_MARKETFCNET_PAPER ", Table 1",
    .doc =
        "Draws a contextual Fisher market (n buyers, m goods, CES utilities), computes an equilibrium with "
        "each solver and measures the Nash gap, the violations of allocation and of price, and the time. "
        "Rows "
        "beyond the paper's: fc_share (the same network with a share output) and newton (the exact dual "
        "log-Newton method).",
    .version = 1,
    .devices = true,
    .params = wal_market_params,
    .param_count = WAL_MARKET_PARAMS,
    .columns = wal_market_columns,
    .column_count = WAL_MARKET_COLUMNS,
    .run_point = wal_market_run_point,
    .draw = wal_market_draw,
};
