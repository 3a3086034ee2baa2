// Several observers of one session.
#pragma once

#include <vector>

#include "core/sync/observer.hpp"

namespace mirror::daemon {

/// Hands everything on, in the order of add().
class Observers final : public sync::Observer {
  public:
    /// `observer` must outlive this.
    void add(sync::Observer& observer) { all_.push_back(&observer); }

    void progress(const sync::Progress& progress) override {
        for (sync::Observer* const observer : all_) {
            observer->progress(progress);
        }
    }
    void first_load(const sync::FirstLoad& load) override {
        for (sync::Observer* const observer : all_) {
            observer->first_load(load);
        }
    }
    void progress_paused() override {
        for (sync::Observer* const observer : all_) {
            observer->progress_paused();
        }
    }
    void debug(const std::string& line) override {
        for (sync::Observer* const observer : all_) {
            observer->debug(line);
        }
    }
    void info(const std::string& line) override {
        for (sync::Observer* const observer : all_) {
            observer->info(line);
        }
    }
    void warning(const std::string& line) override {
        for (sync::Observer* const observer : all_) {
            observer->warning(line);
        }
    }
    void request_begun() override {
        for (sync::Observer* const observer : all_) {
            observer->request_begun();
        }
    }
    void request_ended(copernica::RequestOutcome outcome, std::chrono::nanoseconds took) override {
        for (sync::Observer* const observer : all_) {
            observer->request_ended(outcome, took);
        }
    }
    void request_failed(const std::string& why) override {
        for (sync::Observer* const observer : all_) {
            observer->request_failed(why);
        }
    }
    void rate_changed(double requests_per_second) override {
        for (sync::Observer* const observer : all_) {
            observer->rate_changed(requests_per_second);
        }
    }
    void request_again() override {
        for (sync::Observer* const observer : all_) {
            observer->request_again();
        }
    }
    void stored(const sync::Written& written) override {
        for (sync::Observer* const observer : all_) {
            observer->stored(written);
        }
    }
    void following(const sync::Following& state) override {
        for (sync::Observer* const observer : all_) {
            observer->following(state);
        }
    }

  private:
    std::vector<sync::Observer*> all_;
};

}  // namespace mirror::daemon
