# frozen_string_literal: true

module Library
  # A member's loans as a letter.
  class Statement
    def initialize(api)
      @api = api
    end

    def text(session, member_id, today)
      account = @api.account(session, member_id, today)
      lines = account["loans"].map do |loan|
        "#{loan['title']}, due #{loan['due_on']}#{' (overdue)' if loan['overdue']}"
      end
      lines << format("To pay: %.2f EUR", account["fine_cents"] / 100.0)
      lines.join("\n")
    end
  end
end
