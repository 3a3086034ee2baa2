#include "core/copernica/retry_policy.hpp"

namespace mirror::copernica {
namespace {

constexpr int too_many_requests = 429;

bool is_refusal(int status) {
    return status >= 400 && status < 500 && status != too_many_requests && status != 408 &&
           status != 425;
}

}  // namespace

NextStep next_step(const FailedRequest& failed) {
    switch (failed.kind) {
        case ErrorKind::token_refused:
            return NextStep::token_refused;
        case ErrorKind::unusable:
            return NextStep::unusable;
        case ErrorKind::request_refused:
            return NextStep::ask_others;
        case ErrorKind::try_again:
        case ErrorKind::invalid_response:
            break;
    }
    if (failed.others_go_on && failed.refusals >= refusals_before_giving_up) {
        return NextStep::stream_refused;
    }
    if (failed.give_up_after) {
        if (failed.retry_after && *failed.retry_after > *failed.give_up_after) {
            return NextStep::wait_too_long;
        }
        if (failed.failing_for >= *failed.give_up_after) {
            return NextStep::patience_is_over;
        }
        if (!failed.answered && is_refusal(failed.status) &&
            failed.failures >= refusals_before_giving_up) {
            return NextStep::wrong_address;
        }
    }
    const bool probe_is_due = failed.status != too_many_requests && failed.probe_after > 0 &&
                              failed.failures >= failed.probe_after;
    return probe_is_due ? NextStep::ask_others : NextStep::again;
}

bool concerns_request(const ApiError& error) {
    return error.status() != too_many_requests;
}

}  // namespace mirror::copernica
