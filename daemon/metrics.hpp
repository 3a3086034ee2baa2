// What Prometheus is told of `run`. No token and nothing of a person is in it.
#pragma once

#include <memory>
#include <string>

#include "core/sync/observer.hpp"
#include "daemon/status.hpp"

namespace mirror::daemon {

/// Counts what happens in this process; what the file holds comes from the file at each scrape.
class Metrics final : public sync::Observer {
  public:
    /// Throws UsageError where the program was built without prometheus-cpp.
    Metrics();
    ~Metrics() override;

    void request_ended(sync::RequestOutcome outcome, std::chrono::nanoseconds took) override;
    void request_again() override;
    void stored(const sync::Written& written) override;

    /// What the file holds now.
    void set_file(const Status& file);

    /// Everything, in Prometheus's text format (`text_type`).
    std::string text() const;

    static constexpr const char* text_type = "text/plain; version=0.0.4; charset=utf-8";

  private:
    struct Families;
    std::unique_ptr<Families> families_;
};

}  // namespace mirror::daemon
