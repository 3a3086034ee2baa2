// Says at the start of a first load what it takes.
#pragma once

#include <spdlog/logger.h>

#include "core/sync/observer.hpp"
#include "daemon/commands/load_text.hpp"

namespace mirror::daemon {

class LoadNotice final : public sync::Observer {
  public:
    /// Both must outlive this.
    LoadNotice(const Config& config, spdlog::logger& log) : config_(config), log_(log) {}

    void first_load(std::uint64_t rows) override { log_.info("{}", load_text(rows, config_)); }

  private:
    const Config& config_;
    spdlog::logger& log_;
};

}  // namespace mirror::daemon
