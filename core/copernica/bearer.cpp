#include "core/copernica/bearer.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include "core/time/text.hpp"

namespace mirror::copernica {

namespace asio = boost::asio;

namespace {

// How long to wait after an early renewal has failed: the token at hand is still good.
constexpr std::chrono::minutes pause_after_failure(5);

// How long a call waits for one while the token at hand is still good.
constexpr std::chrono::seconds early_limit(3);

// Of a JWT, refusals in one call after which it is for the caller to find out what is wrong.
constexpr unsigned most_refusals = 3;

// Says that an exchange is under way, however it ends.
class AtWork {
  public:
    explicit AtWork(bool& flag) : flag_(flag) { flag_ = true; }
    ~AtWork() { flag_ = false; }
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

  private:
    bool& flag_;
};

}  // namespace

Bearer::Bearer(Secret api_token, TokenService service, Clock& clock, RequestObserver& observer,
               std::function<void(const Secret&)> made)
    : api_token_(std::move(api_token)),
      service_(std::move(service)),
      clock_(clock),
      observer_(observer),
      made_(std::move(made)),
      api_clock_(clock.utc(), clock.monotonic()) {}

Freshness Bearer::freshness_of(const Jwt& jwt) const {
    return freshness(jwt.left, clock_.monotonic() - jwt.received);
}

Bearer::Presented Bearer::current(bool just_made) const {
    if (form_ == TokenForm::jwt && jwt_) {
        return Presented(jwt_->token, TokenForm::jwt, version_, just_made);
    }
    return Presented(api_token_, TokenForm::api_token, version_, just_made);
}

asio::awaitable<Bearer::Presented> Bearer::present(RequestGate& gate) {
    bool just_made = false;
    if (form_ == TokenForm::jwt) {
        const Freshness state = jwt_ ? freshness_of(*jwt_) : Freshness::expired;
        if (state == Freshness::expired) {
            just_made = co_await renew(version_, gate);
        } else if (state == Freshness::due) {
            co_await renew_early(gate);
        }
    }
    co_return current(just_made);
}

asio::awaitable<bool> Bearer::refused(Presented& presented, bool is_identity, Refusal how,
                                      RequestGate& gate) {
    const Monotonic now = clock_.monotonic();
    RefusedToken token;
    token.form = presented.form_;
    token.proven = proven_;
    token.replaced = presented.version_ < first_version_ ||
                     (presented.form_ == TokenForm::jwt ? version_ != presented.version_
                                                        : form_ == TokenForm::jwt);
    token.just_made = presented.just_made_;
    token.is_identity = is_identity;
    token.bare = how == Refusal::bare;
    token.bare_lately = bare_exchange_at_ && now - *bare_exchange_at_ < pause_after_failure;
    const AfterRefusal next =
        ++presented.refusals_ >= most_refusals ? AfterRefusal::give_up : after_refusal(token);
    if (next == AfterRefusal::give_up) {
        if (token.bare) {
            co_return false;
        }
        if (presented.form_ == TokenForm::jwt && jwt_ && jwt_->left && *jwt_->left <= Seconds(0)) {
            throw ApiError(ErrorKind::try_again,
                           "the API refuses the tokens of the token service, which have expired "
                           "when they come: the clock of the service, or of the API, is wrong");
        }
        if (presented.form_ == TokenForm::jwt && is_identity) {
            form_ = TokenForm::api_token;  // begin anew: perhaps the API takes that one now
            proven_.reset();
        }
        co_return false;
    }
    bool just_made = false;
    if (next == AfterRefusal::exchange) {
        if (token.bare) {
            bare_exchange_at_ = now;
        }
        std::optional<ApiError> failed;
        try {
            just_made = co_await renew(presented.version_, gate);
        } catch (const ApiError& error) {
            failed = error;
        }
        if (failed && token.bare) {
            observer_.debug(failed->what());
            co_return false;  // the API's reply says what is wrong
        }
        if (failed) {
            throw ApiError(*failed);
        }
        form_ = jwt_ ? TokenForm::jwt : form_;
    }
    const unsigned refusals = presented.refusals_;
    presented = current(just_made);
    presented.refusals_ = refusals;
    co_return true;
}

void Bearer::accepted(const Presented& presented) {
    if (presented.version_ < first_version_) {
        return;
    }
    if (presented.form_ == TokenForm::jwt && proven_ != TokenForm::jwt) {
        observer_.info("the API takes tokens that the token service makes, not the account's own");
    }
    proven_ = presented.form_;
    bare_exchange_at_.reset();
    // Another call may have tried a JWT, in vain, for a refusal that was a mistake.
    form_ = presented.form_;
}

void Bearer::observe(std::optional<Instant> date) {
    api_clock_.observe(date, clock_.monotonic());
}

void Bearer::use(Secret api_token) {
    api_token_ = std::move(api_token);
    form_ = TokenForm::api_token;
    proven_.reset();
    jwt_.reset();
    first_version_ = ++version_;
    last_failure_.reset();
    not_early_before_.reset();
    bare_exchange_at_.reset();
}

// Gets a JWT, unless there is one that is newer than what the caller has seen. True if it was got
// here.
asio::awaitable<bool> Bearer::renew(std::uint64_t seen, RequestGate& gate,
                                    std::optional<std::chrono::seconds> limit) {
    const std::uint64_t attempts = attempts_;
    const Semaphore::Permit permit = co_await turn_.take();
    if (version_ != seen && jwt_) {
        co_return false;
    }
    if (attempts_ != attempts && last_failure_) {
        throw ApiError(*last_failure_);
    }
    const AtWork at_work(at_work_);
    Secret token = api_token_;
    const std::uint64_t before = version_;
    try {
        co_await gate.pass();
        TokenService::Made made = co_await exchange(std::move(token), limit);
        ++attempts_;
        last_failure_.reset();
        if (version_ != before) {
            co_return false;  // the account's token has changed meanwhile
        }
        keep(std::move(made));
    } catch (const ApiError& error) {
        ++attempts_;
        last_failure_ = error;
        throw;
    }
    co_return true;
}

// The token at hand is still good: nobody waits for another call's attempt, and a failure waits.
asio::awaitable<void> Bearer::renew_early(RequestGate& gate) {
    if (at_work_ || (not_early_before_ && clock_.monotonic() < *not_early_before_)) {
        co_return;
    }
    try {
        co_await renew(version_, gate, early_limit);
        not_early_before_.reset();
    } catch (const ApiError& error) {
        observer_.warning(std::string(error.what()) +
                          "; the token at hand is still good, trying again in five minutes");
        not_early_before_ = clock_.monotonic() + pause_after_failure;
    }
}

asio::awaitable<TokenService::Made> Bearer::exchange(Secret token,
                                                     std::optional<std::chrono::seconds> limit) {
    if (!limit) {
        co_return co_await service_.exchange(std::move(token));
    }
    std::optional<TokenService::Made> made;
    TaskGroup tasks(co_await asio::this_coro::executor);
    tasks.spawn(exchange_into(made, std::move(token), tasks));
    tasks.spawn(end_after(*limit));
    co_await tasks.join();
    co_return std::move(made.value());
}

asio::awaitable<void> Bearer::exchange_into(std::optional<TokenService::Made>& made, Secret token,
                                            TaskGroup& tasks) {
    TokenService::Made one = co_await service_.exchange(std::move(token));
    made.emplace(std::move(one));
    tasks.cancel();  // what counts the time
}

asio::awaitable<void> Bearer::end_after(std::chrono::seconds limit) {
    try {
        co_await clock_.sleep(limit);
    } catch (const boost::system::system_error&) {
        co_return;  // the exchange has ended, or the call is cancelled
    }
    throw service_.too_slow(limit);
}

void Bearer::keep(TokenService::Made made) {
    ClocksAtReceipt clocks;
    clocks.service = made.date;
    if (api_clock_.accepted()) {
        clocks.api = api_clock_.now(clock_.monotonic());
    }
    clocks.machine = clock_.utc();
    const JwtTimes times = times_of_jwt(made.token.reveal());
    const std::optional<Seconds> left = life_left(times, clocks);
    made_(made.token);
    jwt_.emplace(std::move(made.token), left, clock_.monotonic());
    ++version_;
    observer_.debug(times.expires
                        ? "the token service gave a token that expires at " +
                              format_utc(*times.expires)
                        : "the token service gave a token that does not say when it expires");
}

}  // namespace mirror::copernica
