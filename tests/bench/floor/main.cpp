// floor: what the machine allows where nothing is promised. Pages by start on several kept-alive
// connections, with one thread for all or a second one for SQLite.
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <curl/curl.h>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/floor/database.hpp"
#include "tests/bench/floor/parse.hpp"

namespace {

using floor_bench::Database;
using floor_bench::Rows;

constexpr std::uint64_t page_size = 1000;
constexpr unsigned connections = 4;

// Pages on their way to SQLite's thread: a few, so that memory stays flat.
class HandOver {
  public:
    explicit HandOver(Database& database) : database_(database), thread_([this] { work(); }) {}

    void give(Rows page) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return pages_.size() < most; });
        pages_.push_back(std::move(page));
        changed_.notify_all();
    }

    void finish() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
            changed_.notify_all();
        }
        thread_.join();
    }

  private:
    static constexpr std::size_t most = 8;

    void work() {
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ended_ || !pages_.empty(); });
            if (pages_.empty()) {
                return;
            }
            const Rows page = std::move(pages_.front());
            pages_.pop_front();
            changed_.notify_all();
            lock.unlock();
            database_.write(page);
        }
    }

    Database& database_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Rows> pages_;
    bool ended_ = false;
    std::thread thread_;
};

struct Transfer {
    CURL* handle = nullptr;
    std::string body;
};

std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(data, size * count);
    return size * count;
}

class Floor {
  public:
    Floor(std::string url, Database& database, HandOver* hand_over)
        : url_(std::move(url)), database_(database), hand_over_(hand_over) {}

    void run() {
        CURLM* const multi = curl_multi_init();
        std::vector<Transfer> transfers(connections);
        // The first page also says how many there are.
        begin(multi, transfers[0]);
        int running = 1;
        while (running > 0) {
            curl_multi_perform(multi, &running);
            int left = 0;
            while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
                if (message->msg == CURLMSG_DONE) {
                    end(multi, message->easy_handle, message->data.result, transfers);
                    running = 1;
                }
            }
            if (in_flight_ == 0) {
                break;
            }
            curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
        }
        for (const Transfer& transfer : transfers) {
            curl_easy_cleanup(transfer.handle);
        }
        curl_multi_cleanup(multi);
    }

    std::uint64_t requests() const { return requests_; }

  private:
    void begin(CURLM* multi, Transfer& transfer) {
        if (transfer.handle == nullptr) {
            transfer.handle = curl_easy_init();
            curl_easy_setopt(transfer.handle, CURLOPT_WRITEFUNCTION, &append);
            curl_easy_setopt(transfer.handle, CURLOPT_WRITEDATA, &transfer.body);
            if (const char* const file = std::getenv("CA_FILE")) {
                curl_easy_setopt(transfer.handle, CURLOPT_CAINFO, file);
            }
        }
        transfer.body.clear();
        const std::string target =
            url_ + "/ms/impressions?access_token=" + std::getenv("COPERNICA_ACCESS_TOKEN") +
            "&start=" + std::to_string(next_) + "&limit=" + std::to_string(page_size) +
            (next_ == 0 ? "&total=true" : "&total=false");
        next_ += page_size;
        curl_easy_setopt(transfer.handle, CURLOPT_URL, target.c_str());
        curl_multi_add_handle(multi, transfer.handle);
        ++requests_;
        ++in_flight_;
    }

    void end(CURLM* multi, CURL* handle, CURLcode result, std::vector<Transfer>& transfers) {
        if (result != CURLE_OK) {
            throw std::runtime_error(curl_easy_strerror(result));
        }
        curl_multi_remove_handle(multi, handle);
        --in_flight_;
        Transfer* transfer = nullptr;
        for (Transfer& candidate : transfers) {
            if (candidate.handle == handle) {
                transfer = &candidate;
            }
        }
        Rows page = floor_bench::parse(transfer->body, total_ == 0 ? &total_ : nullptr);
        for (Transfer& idle : transfers) {
            const bool free = idle.handle == nullptr || idle.handle == handle || !started_;
            if (free && next_ < total_) {
                begin(multi, idle);
            }
        }
        started_ = true;
        if (hand_over_ != nullptr) {
            hand_over_->give(std::move(page));
        } else {
            database_.write(page);
        }
    }

    std::string url_;
    Database& database_;
    HandOver* hand_over_;
    std::uint64_t next_ = 0;
    std::uint64_t total_ = 0;
    std::uint64_t requests_ = 0;
    unsigned in_flight_ = 0;
    bool started_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: bench-floor URL DATABASE 1|2 plain|interned\n";
        return 2;
    }
    try {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        Database database(argv[2], argv[4] == std::string("interned"));
        std::unique_ptr<HandOver> hand_over;
        if (argv[3] == std::string("2")) {
            hand_over = std::make_unique<HandOver>(database);
        }
        Floor floor(argv[1], database, hand_over.get());
        floor.run();
        if (hand_over) {
            hand_over->finish();
        }
        std::cout << "{\"requests\": " << floor.requests() << "}\n";
    } catch (const std::exception& error) {
        std::cerr << "bench-floor: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
