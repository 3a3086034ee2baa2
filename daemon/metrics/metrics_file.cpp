#include "daemon/metrics/metrics_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "core/util/printable.hpp"
#include "daemon/process/usage_error.hpp"
#include "daemon/status/status.hpp"
#include "storage/inspection.hpp"
#include "storage/sqlite/errors.hpp"
#include "storage/status_reader.hpp"

namespace mirror::daemon {
namespace {

constexpr std::size_t longest_message = 4000;

[[noreturn]] void fail(const std::string& attempt) {
    throw std::system_error(errno, std::generic_category(), "cannot " + attempt);
}

// A file in the directory of the one that it may replace; removed with this object if it does not.
// Its name does not end in .prom, so the collector does not read it.
class TemporaryFile {
  public:
    explicit TemporaryFile(const std::filesystem::path& beside)
        : name_(beside.string() + ".XXXXXX") {
        descriptor_ = ::mkostemp(name_.data(), O_CLOEXEC);
        if (descriptor_ < 0) {
            fail("make a file in its directory");
        }
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        ::close(descriptor_);
        if (!name_.empty()) {
            ::unlink(name_.c_str());
        }
    }

    void write(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t written = ::write(descriptor_, text.data(), text.size());
            if (written < 0 && errno != EINTR) {
                fail("write " + name_);
            }
            text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
        }
    }

    void become(const std::filesystem::path& path) {
        // The collector is another user; the umask of a service keeps others out.
        if (::fchmod(descriptor_, 0644) != 0) {
            fail("set the mode of " + name_);
        }
        if (::rename(name_.c_str(), path.c_str()) != 0) {
            fail("rename " + name_);
        }
        name_.clear();
    }

  private:
    std::string name_;
    int descriptor_;
};

std::string message(const std::filesystem::path& path, const std::exception& error) {
    return printable(fmt::format("--metrics-file {}: {}", path.string(), error.what()),
                     longest_message);
}

}  // namespace

MetricsFile::MetricsFile(std::filesystem::path path)
    : path_(std::move(path)), metrics_("--metrics-file") {
    std::error_code ignored;
    if (!path_.has_filename() || std::filesystem::is_directory(path_, ignored)) {
        throw UsageError(
            fmt::format("--metrics-file \"{}\": it takes the name of a file, such as "
                        "/var/lib/prometheus/node-exporter/copernica-mirror.prom",
                        path_.string()));
    }
    try {
        const TemporaryFile attempt(path_);
    } catch (const std::system_error& error) {
        throw UsageError(message(path_, error) +
                         "; name a directory that is there and that this user may write to");
    }
}

void MetricsFile::write(ExitCode code, const Clock& clock, spdlog::logger& log) {
    const Instant now = clock.utc();
    try {
        metrics_.set_run(code, now);
        read_database(code, now, log);
        TemporaryFile file(path_);
        file.write(metrics_.text());
        file.become(path_);
    } catch (const std::exception& error) {
        log.error("{}; what was there before stays", message(path_, error));
    }
}

void MetricsFile::read_database(ExitCode code, Instant now, spdlog::logger& log) {
    std::error_code ignored;
    if (!database_ || !std::filesystem::exists(*database_, ignored)) {
        return;
    }
    try {
        storage::StatusOptions options;
        options.path = *database_;
        options.runs = 0;
        metrics_.set_file(assess(storage::read_status(options), now));
        if (const auto free_bytes = storage::inspect(*database_).free_bytes) {
            metrics_.set_free_bytes(*free_bytes);
        }
    } catch (const storage::DatabaseError& error) {
        if (code != ExitCode::database) {  // which the log has the reason of already
            log.warn("{}; metrics of the database are left out", message(path_, error));
        }
    }
}

}  // namespace mirror::daemon
