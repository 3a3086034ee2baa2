// The metrics of `run`, or of one `sync`, `backfill` or `audit`, for Prometheus. They hold neither
// the token nor anything about a person.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/sync/observer.hpp"
#include "daemon/process/exit_code.hpp"
#include "daemon/process/process_usage.hpp"
#include "daemon/status/status.hpp"

namespace mirror::daemon {

/// Counts what happens in this process; what the file holds is set when it has been read.
class Metrics final : public sync::Observer {
  public:
    /// Throws UsageError if the program was built without prometheus-cpp; `setting` is the key or
    /// the option that asks for metrics.
    explicit Metrics(std::string_view setting);
    ~Metrics() override;

    void request_ended(copernica::RequestOutcome outcome, std::chrono::nanoseconds took) override;
    void request_again() override;
    void rate_changed(double requests_per_second) override;
    void stored(const sync::Written& written) override;

    /// What the file holds now, with a label for each stream that is followed. Absent until then.
    void set_file(const Statuses& all);

    /// Room on the file's disk. Absent until then.
    void set_free_bytes(std::uint64_t bytes);

    /// CPU time, memory and start of this process, under the names that all programs use.
    void set_process(const ProcessUsage& usage);

    /// How and when a one-shot command ended. Absent until then.
    void set_run(ExitCode code, Instant ended);

    /// Everything, in Prometheus's text format (`text_type`).
    std::string text() const;

    static constexpr const char* text_type = "text/plain; version=0.0.4; charset=utf-8";

  private:
    struct Families;
    std::unique_ptr<Families> families_;
};

}  // namespace mirror::daemon
