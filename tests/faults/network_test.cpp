// Each system call on a socket fails, in the program as it is, over TCP and over TLS.
#include <atomic>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "daemon/program.hpp"
#include "tests/faults/failing_sockets.hpp"
#include "tests/faults/small_account.hpp"
#include "tests/simulator/certificates.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/simulator/server.hpp"
#include "tests/support/fault_table.hpp"

using namespace mirror;
using namespace mirror::faults;
using test::FaultClass;

namespace {

namespace asio = boost::asio;

constexpr Instant present{Seconds(1'790'000'000)};

// Pauses between attempts take no time: a sleep only moves the clock.
class HurriedClock final : public Clock {
  public:
    Instant utc() const override {
        return present + std::chrono::floor<Seconds>(std::chrono::milliseconds(passed_));
    }
    Monotonic monotonic() const override { return Monotonic(std::chrono::milliseconds(passed_)); }
    asio::awaitable<void> sleep(std::chrono::milliseconds duration) override {
        passed_ += duration.count();
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }

  private:
    std::atomic<std::int64_t> passed_{0};  // the server's thread asks, too
};

// A server that serves the same rows again and again, and configuration for it.
class Net {
  public:
    explicit Net(bool tls) {
        simulator::ServerOptions options;
        std::string ca_file;
        if (tls) {
            const auto certificates = simulator::make_certificates(directory_.path() / "tls");
            options.tls = certificates.good;
            ca_file = certificates.authority.string();
        }
        simulator::RowMaker maker(1);
        for (std::int64_t id = 1; id <= 40; ++id) {
            account_.add(maker.make(id, present - std::chrono::hours(40 * id), 400));
        }
        server_.emplace(account_, simulator::Behaviour{}, options);
        server_->clock().follow([this] { return clock_.utc(); });
        std::ofstream(config()) << "[api]\npage_size = 15\nconnections = 1\n"
                                << "requests_per_second = 1000\nca_file = \"" << ca_file
                                << "\"\n[mirror]\nstart = \"2026-06-01\"\n";
    }

    std::filesystem::path file() const { return directory_.path() / "impressions.db"; }

    // A first load, with the program's own exit code; `said` is what it said.
    int sync(std::string& said) {
        std::ostringstream out;
        std::ostringstream err;
        daemon::Environment environment(out, err, clock_);
        environment.access_token = "simulated-token";
        environment.default_config = config();
        const auto code = daemon::run_program(
            {"sync", "--database", file().string(), "--api-url", server_->url()}, environment);
        said = err.str() + out.str();
        return static_cast<int>(code);
    }

    std::string complaint() {
        try {
            soak::expect_sound(file(), clock_.utc());
        } catch (const std::exception& error) {
            return error.what();
        }
        return soak::rows_of(file()) == server_->truth() ? ""
                                                         : "the file is not what the API shows";
    }

    void start_over() const {
        for (const char* const suffix : {"", "-wal", "-shm", ".lock"}) {
            std::filesystem::remove(file().string() + suffix);
        }
    }

  private:
    std::filesystem::path config() const { return directory_.path() / "config.toml"; }

    Directory directory_;
    HurriedClock clock_;
    simulator::Account account_;
    std::optional<simulator::Server> server_;
};

struct Way {
    const char* name;
    SocketCall call;
    SocketFailure how;
};

constexpr Way ways[] = {
    {"no descriptors are left", SocketCall::open, SocketFailure::no_descriptors},
    {"a connection is refused", SocketCall::connect, SocketFailure::refused},
    {"a connection times out", SocketCall::connect, SocketFailure::timed_out},
    {"a read is reset", SocketCall::read, SocketFailure::reset},
    {"a read times out", SocketCall::read, SocketFailure::timed_out},
    {"a read finds the end", SocketCall::read, SocketFailure::end},
    {"a write is reset", SocketCall::write, SocketFailure::reset},
    {"a write finds a broken pipe", SocketCall::write, SocketFailure::broken_pipe},
};

// N = 1, 2, 3 … until a run passes without meeting the fault. One fault is waited out; a row of
// them is, too, or ends the run with 1.
void sweep(Net& net, const Way& way, std::uint64_t count, std::uint64_t step, FaultClass& table) {
    bool met = true;
    for (std::uint64_t nth = 1; met; nth += step) {
        CAPTURE(std::string(way.name));
        CAPTURE(nth);
        CAPTURE(count);
        table.begin();
        net.start_over();
        std::string said;
        fail_sockets(way.call, nth, count, way.how);
        int code = net.sync(said);
        met = heal_sockets();
        CAPTURE(said);
        REQUIRE((code == 0 || (code == 1 && count > 1)));
        if (code != 0) {
            soak::expect_sound(net.file(), present + std::chrono::hours(24));
            code = net.sync(said);
            REQUIRE(code == 0);
        }
        const std::string complaint = net.complaint();
        REQUIRE(complaint == "");
        table.passed();
    }
}

void sweep_all(bool tls) {
    Net net(tls);
    for (const Way& way : ways) {
        FaultClass table("network", std::string(way.name) + (tls ? " (TLS)" : ""));
        sweep(net, way, 1, stride(tls ? 5 : 3), table);
        sweep(net, way, 4, stride(tls ? 9 : 5), table);
    }
}

}  // namespace

TEST_CASE("network: each call on a socket fails") {
    sweep_all(false);
}

TEST_CASE("network: each call on a socket fails, the handshake's too") {
    sweep_all(true);
}
