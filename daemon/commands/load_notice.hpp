// Says at the start of a first load what it takes.
#pragma once

#include <string>

#include <spdlog/logger.h>

#include "core/sync/observer.hpp"
#include "daemon/commands/load_text.hpp"

namespace mirror::daemon {

class LoadNotice final : public sync::Observer {
  public:
    /// Both must outlive this.
    LoadNotice(const Config& config, spdlog::logger& log) : config_(config), log_(log) {}

    void first_load(const sync::FirstLoad& load) override {
        const std::string text = load_text(load.rows, config_, *load.stream);
        if (load.one_of_several) {
            log_.info("{}: {}", load.stream->name, text);
        } else {
            log_.info("{}", text);
        }
    }

  private:
    const Config& config_;
    spdlog::logger& log_;
};

}  // namespace mirror::daemon
