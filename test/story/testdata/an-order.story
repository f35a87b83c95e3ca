# A server with a disk is ordered, paid with a discount and a coupon, used for two weeks and given back.
# All figures can be checked by hand against the price list (cloud/).

clock     2027-01-01 10:30
customer  cedar-labs
expect    cash 10000
coupon    gift 5 serviceType=hws.service.type.ec2
discount  contract 605 0.9

order     web 1 s3.small.1.linux 1m disk=40
expect    web status 6 type 1 official 11.94
refused   CBC.99003108 pay web discount=nothing
pay       web discount=contract coupon=gift
expect    web status 5 coupon 5 expires 2027-02-01T23:59:59 amount 10.74   # 8.76 and 1.98, each cut
expect    cash 9994.26
refused   CBC.99003106 pay web
refused   CBC.99005010 cancel web
check

clock     2027-01-15 18:40              # 344 of 758 hours are used
unsubscribe web as back
expect    back status 5 type 4 amount 2.55 consumed 2.61 fee 0.58   # of 3.76 and 1.98 paid
expect    cash 9996.81
refused   CBC.30000067 unsubscribe web
check
