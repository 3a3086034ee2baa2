// copernica-simulator: the API, to try a mirror out without an account.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/time/text.hpp"
#include "tests/simulator/access_options.hpp"
#include "tests/simulator/certificates.hpp"
#include "tests/simulator/choice_option.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/simulator/hostile.hpp"
#include "tests/simulator/live.hpp"
#include "tests/simulator/server.hpp"
#include "tests/simulator/stream_options.hpp"
#include "tests/simulator/truth_file.hpp"

namespace {

using namespace simulator;

struct Settings {
    std::uint64_t rows = 100'000;
    std::uint64_t seed = 1;
    Shape shape = Shape::bursty;
    std::uint64_t burst = 1000;
    double late_share = 0;
    std::int64_t latest_by = 3600;
    std::size_t agents = Generation{}.agents;
    std::int64_t first_id = Generation{}.first_id;
    std::string from = "2016-01-01";
    std::string to;
    std::string zone = "Europe/Amsterdam";
    std::string now;
    double live = 0;

    std::uint16_t port = 0;
    std::string tls_directory;
    std::string port_file;
    std::string truth_file;
    double error_rate = 0;
    double latency_ms = 0;
    double skip_cost_us = 0;
    double count_cost_us = 0;
    std::int64_t longest_period_days = 0;
    std::int64_t date_skew = 0;
    std::uint64_t date_every = 1;
    Behaviour behaviour;
    StreamSettings streams;
    AccessSettings access;
};

void add_options(CLI::App& app, Settings& settings) {
    Behaviour& behaviour = settings.behaviour;
    const std::map<std::string, Bound> bounds{{"exclusive", Bound::exclusive},
                                              {"inclusive", Bound::inclusive}};

    app.add_option("--rows", settings.rows, "How many rows the account has (100000)");
    app.add_option("--seed", settings.seed, "Another account for another number (1)");
    add_choice<Shape>(
        app, "--shape", settings.shape,
        {{"steady", Shape::steady}, {"bursty", Shape::bursty}, {"seconds", Shape::seconds}},
        "How rows lie in time: steady, bursty (default), seconds");
    app.add_option("--burst", settings.burst, "Rows in one second, with --shape seconds (1000)");
    app.add_option("--from", settings.from, "Begin of the rows, account-local (2016-01-01)");
    app.add_option("--to", settings.to, "End of the rows, account-local (now)");
    app.add_option("--late-share", settings.late_share, "Share of rows that are logged late (0)");
    app.add_option("--latest-by", settings.latest_by, "By how many seconds at most (3600)");
    app.add_option("--agents", settings.agents, "Distinct user agents, about so many (640)");
    app.add_option("--first-id", settings.first_id, "ID of the row that was logged first (1)");
    app.add_option("--live", settings.live, "New rows a second, while running (0)");
    app.add_option("--zone", settings.zone, "The account's time zone (Europe/Amsterdam)");
    app.add_option("--now", settings.now,
                   "What time it is at the start, account-local (the machine's clock)");

    app.add_option("--port", settings.port, "On 127.0.0.1 (any free port)");
    app.add_option("--port-file", settings.port_file,
                   "Write the URL to this file as soon as it answers");
    app.add_option("--truth-file", settings.truth_file,
                   "At the end, write what a mirror must hold, a JSON array for each row");
    app.add_option("--tls-directory", settings.tls_directory,
                   "Serve HTTPS; make certificates in this directory");
    app.add_option("--token", behaviour.token, "The token that is right (" + behaviour.token + ")");

    add_choice<Order>(app, "--order", behaviour.order,
                      {{"time", Order::by_time},
                       {"time-descending", Order::by_time_descending},
                       {"id", Order::by_id},
                       {"shuffled", Order::shuffled},
                       {"shuffled-each-request", Order::shuffled_each_request}},
                      "time (default), time-descending, id, shuffled, shuffled-each-request");
    add_choice<Bound>(app, "--begin", behaviour.begin, bounds,
                      "Whether begintime's second is returned: exclusive (default), inclusive");
    add_choice<Bound>(app, "--end", behaviour.end, bounds,
                      "Whether endtime's second is returned: exclusive (default), inclusive");
    add_choice<Reading>(app, "--bounds", behaviour.reading,
                        {{"text", Reading::text}, {"instant", Reading::instant}},
                        "How bounds are read: text (default), instant");
    add_choice<Repeated>(app, "--repeated", behaviour.repeated,
                         {{"first", Repeated::first}, {"second", Repeated::second}},
                         "The pass of the autumn hour that an instant means: first, second");
    add_choice<Numbers>(
        app, "--numbers", behaviour.numbers,
        {{"strings", Numbers::strings}, {"numbers", Numbers::numbers}, {"today", Numbers::today}},
        "How numbers are written: today (default: mixed), strings, numbers");
    add_choice<Framing>(
        app, "--framing", behaviour.framing,
        {{"content-length", Framing::content_length}, {"chunked", Framing::chunked}},
        "content-length (default), chunked");
    add_choice<Compression>(app, "--gzip", behaviour.compression,
                            {{"when-accepted", Compression::when_accepted},
                             {"never", Compression::never},
                             {"always", Compression::always}},
                            "when-accepted (default), never, always");
    app.add_option("--max-page", behaviour.max_page, "Rows in a reply at the most (1000)");
    add_choice<NamedLimit>(app, "--named-limit", behaviour.named_limit,
                           {{"in-force", NamedLimit::in_force},
                            {"asked", NamedLimit::asked},
                            {"documented", NamedLimit::documented}},
                           "What a reply's limit names: in-force (default), asked, documented");
    app.add_option("--longest-period-days", settings.longest_period_days,
                   "Refuse longer periods (no limit)");
    app.add_option("--latency-ms", settings.latency_ms, "Of every reply (0)");
    app.add_option("--skip-cost-us", settings.skip_cost_us,
                   "Time for each row that start skips (0)");
    app.add_option("--count-cost-us", settings.count_cost_us,
                   "Time for each row counted for total (0)");
    app.add_option("--requests-per-second", behaviour.requests_per_second,
                   "More are answered with 429 (no limit)");
    app.add_option("--date-skew", settings.date_skew, "Seconds that Date is ahead (0)");
    app.add_option("--date-every", settings.date_every, "On every Nth reply only (1)");
    app.add_option("--error-rate", settings.error_rate,
                   "Share of requests that fail: 5xx, 429, cut off, broken (0)");
    add_stream_options(app, settings.streams);
    add_access_options(app, settings.access);
}

mirror::Instant instant(const std::string& text, const mirror::Zone& zone,
                        const std::string& option) {
    const auto local = mirror::parse_local(text.size() == 10 ? text + " 00:00:00" : text);
    if (!local) {
        throw std::invalid_argument(option + ": \"" + text +
                                    "\" is not YYYY-MM-DD or YYYY-MM-DD HH:MM:SS");
    }
    return zone.earliest(*local);
}

std::chrono::nanoseconds duration(double count, double nanoseconds) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(count * nanoseconds));
}

// Adds rows as time goes by, until a signal comes.
class Live {
  public:
    Live(boost::asio::io_context& io, Account& account, Server& server, const Settings& settings)
        : timer_(io),
          server_(server),
          story_(account, RowMaker(settings.seed + 1, settings.agents), settings.streams.story),
          rate_(settings.live) {}

    void start() {
        since_ = std::chrono::steady_clock::now();
        wait();
    }

    void stop() {
        stopped_ = true;
        timer_.cancel();
    }

  private:
    void wait() {
        timer_.expires_after(std::chrono::milliseconds(50));
        timer_.async_wait([this](boost::system::error_code error) {
            if (!error && !stopped_) {
                add();
                wait();
            }
        });
    }

    void add() {
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - since_;
        for (; static_cast<double>(added_) < elapsed.count() * rate_; ++added_) {
            story_.happen(server_.clock().now());
        }
    }

    boost::asio::steady_timer timer_;
    Server& server_;
    LiveStory story_;
    double rate_;
    std::uint64_t added_ = 0;
    bool stopped_ = false;
    std::chrono::steady_clock::time_point since_;
};

void introduce(const Server& server, const Settings& settings,
               const std::optional<Certificates>& certificates) {
    std::cout << "copernica-simulator: " << settings.rows << " rows\n"
              << "  URL    " << server.url() << "\n"
              << "  token  " << settings.behaviour.token << "\n";
    std::string curl = "curl -s";
    if (certificates) {
        std::cout << "  CA     " << certificates->authority.string() << "\n";
        curl += " --cacert " + certificates->authority.string();
    }
    std::cout << "Try:\n  " << curl << " '" << server.url()
              << "/ms/impressions?access_token=" << settings.behaviour.token << "&limit=2'\n"
              << "or:\n  COPERNICA_ACCESS_TOKEN=" << settings.behaviour.token
              << " copernica-mirror --api-url " << server.url() << " sync" << std::endl;
    if (certificates) {
        std::cout << "  (with that CA as ca_file in its configuration)" << std::endl;
    }
}

// Written whole or not at all: a script that waits for the file can read it as soon as it exists.
void write_whole_file(const std::string& path, const std::string& text) {
    const std::string unfinished = path + ".new";
    std::ofstream file(unfinished);
    file << text;
    file.close();
    if (!file) {
        throw std::runtime_error("cannot write " + unfinished);
    }
    std::filesystem::rename(unfinished, path);
}

void set_rules(Server& server, const Settings& settings) {
    std::vector<Rule> rules;
    if (settings.access.unauthorized_rate > 0) {
        rules.push_back(
            rules::unauthorized_at_random(settings.access.unauthorized_rate, settings.seed));
    }
    if (settings.error_rate > 0) {
        rules.push_back(
            settings.streams.restrict(rules::at_random(settings.error_rate, settings.seed)));
    }
    if (!rules.empty()) {
        server.set_rule(rules::first_of(std::move(rules)));
    }
}

void run(Settings& settings) {
    Behaviour& behaviour = settings.behaviour;
    behaviour.latency =
        std::chrono::duration_cast<std::chrono::microseconds>(duration(settings.latency_ms, 1e6));
    behaviour.skip_cost = duration(settings.skip_cost_us, 1e3);
    behaviour.count_cost = duration(settings.count_cost_us, 1e3);
    behaviour.date.skew = mirror::Seconds(settings.date_skew);
    behaviour.date.every = settings.date_every;
    if (settings.longest_period_days > 0) {
        behaviour.longest_period = std::chrono::hours(24 * settings.longest_period_days);
    }
    ServerOptions options;
    options.port = settings.port;
    options.log_capacity = 0;  // nobody would read it
    std::optional<Certificates> certificates;
    if (!settings.tls_directory.empty()) {
        certificates = make_certificates(settings.tls_directory);
        options.tls = certificates->good;
    }

    // From the start, so that a signal during the generation of rows counts, too.
    boost::asio::io_context io(1);
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    std::optional<Live> live;
    signals.async_wait([&](boost::system::error_code, int) {
        if (live) {
            live->stop();
        }
    });

    Account account(settings.zone);
    account.choose(settings.streams.chosen);
    behaviour.refused = settings.streams.refused();
    settings.access.apply(behaviour);
    if (settings.streams.hostile) {
        behaviour.identity.name = hostile_texts().front();
    }
    ServerClock clock;
    if (!settings.now.empty()) {
        clock.stand_at(instant(settings.now, account.zone(), "--now"));
    }
    const mirror::Instant now = clock.now();
    Generation generation;
    generation.shape = settings.shape;
    generation.rows = settings.rows;
    generation.seed = settings.seed;
    generation.burst = settings.burst;
    generation.late_share = settings.late_share;
    generation.latest_by = mirror::Seconds(settings.latest_by);
    generation.agents = settings.agents;
    generation.first_id = settings.first_id;
    generation.period.begin = instant(settings.from, account.zone(), "--from");
    generation.period.end =
        settings.to.empty() ? now : instant(settings.to, account.zone(), "--to");
    if (generation.period.empty()) {
        throw std::invalid_argument("--from must lie before --to");
    }
    generate(account, generation);
    settings.streams.fill(account, generation);

    Server server(account, behaviour, options);
    if (!settings.now.empty()) {
        server.clock().run_from(now);
    }
    set_rules(server, settings);
    const Companions companions(account, server, options, settings.access);
    introduce(server, settings, certificates);
    companions.introduce(std::cout);
    if (!settings.access.companions_file.empty()) {
        std::ostringstream lines;
        companions.introduce(lines);
        write_whole_file(settings.access.companions_file, lines.str());
    }
    if (!settings.port_file.empty()) {
        write_whole_file(settings.port_file, server.url() + "\n");
    }
    if (settings.live > 0) {
        live.emplace(io, account, server, settings);
        live->start();
    }
    io.run();  // until a signal came
    const Counters counters = server.counters();
    std::cout << counters.requests << " requests on " << counters.connections << " connections, "
              << counters.rows << " rows" << std::endl;
    if (!settings.truth_file.empty()) {
        write_truth(settings.truth_file, server.truth(account.chosen()));
    }
    if (!settings.streams.truth_directory.empty()) {
        write_truths(settings.streams.truth_directory, server);
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulates the Copernica API on a loopback port, until it is told to stop.",
                 "copernica-simulator");
    Settings settings;
    add_options(app, settings);
    CLI11_PARSE(app, argc, argv);
    try {
        run(settings);
    } catch (const boost::system::system_error& error) {
        std::cerr << "copernica-simulator: " << error.code().message() << "\n";
        return 1;
    } catch (const std::exception& error) {
        std::cerr << "copernica-simulator: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
