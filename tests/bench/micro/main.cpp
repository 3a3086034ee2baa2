// What one row costs, without network: the decoder and the upsert.
#include <benchmark/benchmark.h>
#include <filesystem>
#include <string>
#include <vector>

#include "core/copernica/page_decoder.hpp"
#include "core/time/zone.hpp"
#include "storage/mirror_file.hpp"
#include "tests/simulator/account.hpp"
#include "tests/simulator/answer.hpp"
#include "tests/simulator/generate.hpp"

namespace {

using namespace mirror;

constexpr std::uint64_t rows_a_page = 1000;
constexpr std::uint64_t pages = 100;
constexpr char zone_name[] = "Europe/Amsterdam";
const Instant year_begin{std::chrono::seconds(1735686000)};
const Instant year_end{std::chrono::seconds(1767222000)};

std::vector<std::string> bodies() {
    simulator::Account account(zone_name);
    simulator::Generation generation;
    generation.rows = rows_a_page * pages;
    generation.period.begin = year_begin;
    generation.period.end = year_end;
    simulator::generate(account, generation);
    const simulator::Behaviour behaviour;
    std::vector<std::string> result;
    for (std::uint64_t page = 0; page < pages; ++page) {
        simulator::Request request;
        request.method = "GET";
        request.path = "/v3/ms/impressions";
        request.parameters["access_token"] = behaviour.token;
        request.parameters["start"] = std::to_string(page * rows_a_page);
        request.parameters["limit"] = std::to_string(rows_a_page);
        simulator::understand(request, behaviour);
        result.push_back(
            simulator::answer(request, account, behaviour, std::nullopt, year_end).reply.body);
    }
    return result;
}

const std::vector<std::string>& replies() {
    static const std::vector<std::string> all = bodies();
    return all;
}

copernica::Page decode(copernica::PageDecoder& decoder, const std::string& body) {
    decoder.begin(streams().front());
    decoder.feed(body);
    decoder.finish();
    return decoder.take();
}

void decoder(benchmark::State& state) {
    copernica::PageDecoder decoder;
    std::size_t next = 0;
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
    replies();
    for (auto _ : state) {
        const std::string& body = replies()[next++ % pages];
        const copernica::Page page = decode(decoder, body);
        rows += static_cast<std::int64_t>(page.rows.size());
        bytes += static_cast<std::int64_t>(body.size());
        benchmark::DoNotOptimize(page.rows.data());
    }
    state.SetItemsProcessed(rows);
    state.SetBytesProcessed(bytes);
}
BENCHMARK(decoder)->Unit(benchmark::kMicrosecond);

// A directory that goes when it is not needed any more.
class Scratch {
  public:
    Scratch() : path_(std::filesystem::temp_directory_path() / "copernica-bench-micro") {
        std::filesystem::remove_all(path_);
        std::filesystem::create_directory(path_);
    }
    ~Scratch() { std::filesystem::remove_all(path_); }
    std::filesystem::path file() const { return path_ / "impressions.db"; }

  private:
    std::filesystem::path path_;
};

void write_all(storage::MirrorFile& file, copernica::PageDecoder& decoder,
               benchmark::State* timed) {
    for (std::size_t i = 0; i < pages; i += 10) {
        if (timed != nullptr) {
            timed->PauseTiming();
        }
        std::vector<sync::WholeWindow> windows(1);
        const auto part = (year_end - year_begin) / static_cast<std::int64_t>(pages);
        windows[0].window = {year_begin + part * static_cast<std::int64_t>(i),
                             year_begin + part * static_cast<std::int64_t>(i + 10)};
        for (std::size_t page = i; page < i + 10; ++page) {
            copernica::Page decoded = decode(decoder, replies()[page]);
            windows[0].records.add(decoded.rows, std::move(decoded.rejects));
        }
        const storage::Moment now{year_end, {}};
        if (timed != nullptr) {
            timed->ResumeTiming();
        }
        file.writer(streams().front()).commit(windows, year_end, now);
    }
}

storage::MirrorOptions options(const Scratch& scratch) {
    storage::MirrorOptions result{scratch.file(), Zone(zone_name)};
    return result;
}

void upsert_new(benchmark::State& state) {
    copernica::PageDecoder decoder;
    replies();
    for (auto _ : state) {
        state.PauseTiming();
        {
            const Scratch scratch;
            storage::MirrorFile file(options(scratch), year_end);
            state.ResumeTiming();
            write_all(file, decoder, &state);
            state.PauseTiming();
        }
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(pages * rows_a_page));
}
BENCHMARK(upsert_new)->Unit(benchmark::kMillisecond);

void upsert_unchanged(benchmark::State& state) {
    copernica::PageDecoder decoder;
    const Scratch scratch;
    storage::MirrorFile file(options(scratch), year_end);
    write_all(file, decoder, nullptr);
    for (auto _ : state) {
        write_all(file, decoder, &state);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(pages * rows_a_page));
}
BENCHMARK(upsert_unchanged)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
