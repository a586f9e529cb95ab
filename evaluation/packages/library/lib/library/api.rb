# frozen_string_literal: true

module Library
  # What the desk and the members' page can ask.
  class Api
    def initialize(loans, catalog, fines)
      @loans = loans
      @catalog = catalog
      @fines = fines
    end

    def account(session, member_id, today)
      allow(session, member_id)
      loans = @loans.of_member(member_id)
      {
        "member_id" => member_id,
        "loans" => loans.select(&:open?).map { |loan| shown(loan, today) },
        "fine_cents" => @fines.total(loans, today)
      }
    end

    def renew(session, loan_id, today)
      allow(session, @loans.find(loan_id).member_id)
      shown(@loans.renew(loan_id, today), today)
    end

    private

    def allow(session, member_id)
      raise Forbidden unless session.may_see?(member_id)
    end

    def shown(loan, today)
      {
        "id" => loan.id,
        "title" => @catalog.book(loan.book_id).title,
        "due_on" => loan.due_on.iso8601,
        "overdue" => loan.overdue?(today)
      }
    end
  end
end
